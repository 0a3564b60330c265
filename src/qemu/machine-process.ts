/**
 * The QEMU process of a machine's folder. A pid alone may by now be another's:
 * it counts where that process was started to write this folder's console.
 */
import { readdir, readFile, readlink, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { nameOutside } from './confine.ts'
import { machineFiles } from './machine-spec.ts'

const pollMs = 10
/** How the argument begins that names the console of a machine. */
export const serialOption = 'socket,id=serial,'

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
  return folderOf(line.split('\0')) === folder
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

/** A machine that runs, found by its process. */
export interface MachineProcess {
  /** Of its folder. */
  readonly name: string
  readonly pid: number
  /** The paths of the files that it has open. */
  readonly files: readonly string[]
}

/** Every machine that runs in a folder of this one, whatever the pid files say. */
export async function listMachineProcesses(runFolder: string): Promise<MachineProcess[]> {
  const place = await realpath(runFolder).catch(() => runFolder)
  const processes: MachineProcess[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    const args = line.split('\0')
    const folder = folderOf(args)
    // What starts it, and waits for its end, has its arguments too.
    if (folder === undefined || !args[0]?.includes('qemu-system')) continue
    if (dirname(folder) !== place) continue
    processes.push({ name: basename(folder), pid: Number(entry), files: await filesOf(entry) })
  }
  return processes
}

/** The process that started that one. */
export async function parentOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const [, parent] = /^PPid:\s*(\d+)$/m.exec(status) ?? []
  return parent === undefined ? undefined : Number(parent)
}

/** The machine's folder as its arguments tell it, which are the text of a command line. */
function folderOf(args: readonly string[]): string | undefined {
  const serial = args.find((arg) => arg.startsWith(serialOption))
  const [, console] = /,logfile=(.*),logappend=on$/s.exec(serial ?? '') ?? []
  return console === undefined ? undefined : dirname(console.replaceAll(',,', ','))
}

async function filesOf(pid: string): Promise<readonly string[]> {
  const folder = `/proc/${pid}/fd`
  const handles = await readdir(folder).catch(() => [])
  const paths = await Promise.all(
    handles.map((handle) => readlink(join(folder, handle)).catch(() => '')),
  )
  const root = await readlink(`/proc/${pid}/root`).catch(() => '/')
  const named = paths.filter((path) => path.startsWith('/')).map((path) => nameOutside(path, root))
  // Within its walls a file has the name that it was shown by, which may lead over a link.
  return await Promise.all(named.map((path) => realpath(path).catch(() => path)))
}
