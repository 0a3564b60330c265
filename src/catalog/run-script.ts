/**
 * Runs a shell script that may start what it likes, and ends all of it: when it is told to abort, and
 * when this process is gone, however it went. All that it starts is one process group. A guard in
 * there holds an end of a socket whose other end is ours alone: that closes when we do.
 */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export type Run = {
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal | undefined
}

/** What a script ended with, and its last lines. */
export type Outcome = { readonly code: number; readonly lines: readonly string[] }

/** How long a script that is to end may take to remove its mounts and temporary files. */
const graceMs = 10_000
const linesMax = 200

/** The guard outlives the signal that it sends to its own group, so as to send the next. */
const guarded = `
grace=$1 script=$2; shift 2
bash "$script" "$@" 3<&- &
running=$!
trap '' TERM
{ read -r -u 3; kill -TERM 0; sleep "$grace"; kill -KILL 0; } >/dev/null 2>&1 &
guard=$!
wait "$running"
code=$?
exec >/dev/null 2>&1
kill -KILL "$guard"
exit "$code"`

/** What the service is told by its environment, and no script. */
const secrets = [
  'IMAGO_ROOT_ACCESS_KEY_ID',
  'IMAGO_ROOT_SECRET_ACCESS_KEY',
  'IMAGO_MASTER_KEY_COMMAND',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
]

/** In a session of its own: no terminal to ask anything at, and one process group to end. */
export async function runScript(
  path: string,
  args: readonly string[],
  { onLine, signal }: Run,
): Promise<Outcome> {
  const script = ['bash', '-c', guarded, 'bash', String(graceMs / 1000), path, ...args]
  const child = spawn('env', [...secrets.map((name) => `--unset=${name}`), ...script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  assert(child.stdout && child.stderr)
  const lines: string[] = []
  const take = (line: string): void => {
    lines.push(line)
    if (lines.length > linesMax) lines.shift()
    onLine?.(line)
  }
  createInterface({ input: child.stdout }).on('line', take)
  createInterface({ input: child.stderr }).on('line', take)
  let lastResort: NodeJS.Timeout | undefined
  const end = (): void => {
    endGroup(child.pid, 'SIGTERM')
    lastResort = setTimeout(() => endGroup(child.pid, 'SIGKILL'), graceMs)
  }
  signal?.addEventListener('abort', end, { once: true })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code: code ?? 1, lines }))
    })
  } finally {
    signal?.removeEventListener('abort', end)
    clearTimeout(lastResort)
  }
}

function endGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has just ended by itself.
  }
}
