/** Follows an import to its end, showing how far it is. */
import { setTimeout as wait } from 'node:timers/promises'
import { CommandFailed } from './failure.ts'
import { callImago, type Fields } from './imago-client.ts'
import type { Access } from './installation.ts'
import { Progress } from './progress.ts'
import type { Shell } from './shell.ts'

const pollMs = 250

/** Answers the id of the image that it has become. Throws where it failed. */
export async function followImport(access: Access, begun: Fields, shell: Shell): Promise<string> {
  using progress = new Progress(shell)
  const path = `/imago/v1/imports/${textOf(begun, 'importId')}`
  for (let item = begun; ; item = await callImago(access, 'GET', path)) {
    const state = textOf(item, 'state')
    const message = textOf(item, 'message')
    if (state === 'completed') return textOf(item, 'imageId')
    if (state === 'error') throw new CommandFailed(message)
    progress.show({
      message,
      doneBytes: Number(item['doneBytes'] ?? 0),
      totalBytes: Number(item['totalBytes'] ?? 0),
    })
    await wait(pollMs)
  }
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' ? value : ''
}
