/**
 * Processes that outlive us. Each writes its own pid file before it becomes what
 * it shall be, so none is ever running unrecorded, and refuses to start where a
 * pid file stands. The file holds the start time and the boot too: a number
 * that the kernel has given to someone else is never taken for ours.
 */
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { toolEnvironment } from './run.ts'

/** Where a daemon is recorded: `<folder>/<name>.pid`. */
export interface DaemonPlace {
  readonly folder: string
  readonly name: string
}

/** Records itself under $1, then becomes the command. `exec` keeps pid and start time. */
const recordAndBecome = `
set -e; file=$1; shift
IFS= read -r stat < /proc/$$/stat; IFS= read -r boot < /proc/sys/kernel/random/boot_id
printf '%s\\n%s\\n' "$boot" "$stat" > "$file.$$"
if ln "$file.$$" "$file"; then rm "$file.$$"; else rm "$file.$$"; exit 75; fi
exec "$@"`

/** The process id, or undefined where it does not run (any more). */
export function findDaemon(place: DaemonPlace): number | undefined {
  try {
    const [boot, stat = ''] = readFileSync(pidFile(place), 'utf8').split('\n')
    if (boot !== readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()) return undefined
    const pid = Number.parseInt(stat, 10)
    const now = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    const same = now.startedAtTicks === statFields(stat).startedAtTicks
    return same && now.state !== 'Z' && now.state !== 'X' ? pid : undefined
  } catch {
    return undefined
  }
}

/**
 * Starts the command unless it runs; answers its pid once `isReady` says so.
 * @throws when it ends, or is not ready in time; the message holds its log.
 */
export async function startDaemon(
  place: DaemonPlace,
  command: readonly string[],
  isReady: (pid: number) => boolean | Promise<boolean>,
): Promise<number> {
  const running = findDaemon(place)
  if (running !== undefined) return running
  mkdirSync(place.folder, { recursive: true, mode: 0o700 })
  rmSync(pidFile(place), { force: true })
  const log = join(place.folder, `${place.name}.log`)
  const child = spawn(
    '/bin/sh',
    ['-c', `exec >"$0" 2>&1 </dev/null; ${recordAndBecome}`, log, pidFile(place), ...command],
    { detached: true, stdio: 'ignore', env: toolEnvironment, cwd: '/' },
  )
  let ended: string | undefined
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, signal) => (ended = `${signal ?? code}`))
  child.unref()
  for (let pauseMs = 1, waitedMs = 0; waitedMs < 10_000; pauseMs = Math.min(pauseMs + 1, 20)) {
    const pid = findDaemon(place)
    if (pid !== undefined && (await isReady(pid))) return pid
    if (ended !== undefined) break
    await wait(pauseMs)
    waitedMs += pauseMs
  }
  const said = readFileSync(log, { encoding: 'utf8', flag: 'a+' }).trim().slice(-2_000)
  throw new Error(`start ${place.name}: ${ended ?? 'not ready in 10 s'}: ${said}`)
}

/** Ends the process, gently at first, and forgets it. Nothing happens where none runs. */
export async function stopDaemon(place: DaemonPlace): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += 5) {
    const pid = findDaemon(place)
    if (pid === undefined) break
    if (waitedMs === 0) signal(pid, 'SIGTERM')
    if (waitedMs === 500) signal(pid, 'SIGKILL')
    if (waitedMs > 10_000) throw new Error(`stop ${place.name}: process ${pid} does not end`)
    await wait(5)
  }
  rmSync(pidFile(place), { force: true })
}

/** Sends a signal to the daemon, if it runs. */
export function signalDaemon(place: DaemonPlace, name: NodeJS.Signals): void {
  const pid = findDaemon(place)
  if (pid !== undefined) signal(pid, name)
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It has ended by itself.
  }
}

function pidFile(place: DaemonPlace): string {
  return join(place.folder, `${place.name}.pid`)
}

/** /proc/PID/stat, whose second field is a name that may itself hold spaces and brackets. */
function statFields(stat: string): { readonly state: string; readonly startedAtTicks: string } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', startedAtTicks: fields[19] ?? '' }
}
