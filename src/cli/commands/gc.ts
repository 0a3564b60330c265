/** `imago gc`: frees now what nothing names any more, and says how much that was. */
import { setTimeout as wait } from 'node:timers/promises'
import { CommandFailed } from '../failure.ts'
import { callImago } from '../imago-client.ts'
import { readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'

const pollMs = 200
const path = '/imago/v1/garbage-collections'
const mebibyte = 2 ** 20

export async function collectGarbage(shell: Shell): Promise<void> {
  const { access } = readInstallation(shell)
  const asked = Number((await callImago(access, 'POST', path))['number'])
  for (;;) {
    const done = await callImago(access, 'GET', path)
    if (Number(done['number'] ?? -1) >= asked) {
      if (typeof done['problem'] === 'string') {
        throw new CommandFailed(`Could not free anything: ${done['problem']}`)
      }
      const count = (name: string) => Number(done[name] ?? 0)
      const freedMiB = (count('bytesFreed') / mebibyte).toFixed(1)
      say(
        shell,
        `Freed ${freedMiB} MiB: ${count('blocksDeleted')} blocks, ` +
          `${count('manifestsDeleted')} manifests, ${count('basesDeleted')} bases`,
      )
      return
    }
    await wait(pollMs)
  }
}
