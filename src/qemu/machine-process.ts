/**
 * The QEMU process of a machine's folder. A pid alone may by now be another's:
 * it counts where that process was started with this folder's pid file.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { machineFiles } from './machine-spec.ts'

const pollMs = 10

/** The machine's process, if it is alive. */
export async function findProcess(folder: string): Promise<number | undefined> {
  const text = await readFile(join(folder, machineFiles.pid), 'utf8').catch(() => '')
  const pid = Number(text.trim())
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined
  return (await isProcessOf(folder, pid)) ? pid : undefined
}

/** Whether that process is this folder's machine. One that has ended, reaped or not, is not. */
export async function isProcessOf(folder: string, pid: number): Promise<boolean> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return line.split('\0').includes(join(folder, machineFiles.pid))
}

/** Waits for its end; false where that did not come in time. */
export async function hasEnded(
  folder: string,
  pid: number,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    if (!(await isProcessOf(folder, pid))) return true
    if (waitedMs >= timeoutMs) return false
    await wait(pollMs)
  }
}

/** Ends it at once, as a power cut would, and waits until it holds nothing any more. */
export async function endProcess(folder: string): Promise<void> {
  const pid = await findProcess(folder)
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
  if (!(await hasEnded(folder, pid, { timeoutMs: 30_000 }))) {
    throw new Error(`process ${pid} does not end`)
  }
}
