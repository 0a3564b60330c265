/** Runs programs that are measured, or that prepare what is. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Runs it to its end, and answers its output. */
export async function run(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await execute(program, [...args], {
    env: { ...process.env, ...environment },
    maxBuffer: 64 * 1024 * 1024,
  })
  return stdout
}

export async function isInstalled(program: string): Promise<boolean> {
  return await execute('sh', ['-c', 'command -v "$0"', program]).then(
    () => true,
    () => false,
  )
}

/** Asks until there is an answer, for at most a few minutes. */
export async function until<T>(
  ask: () => Promise<T | undefined>,
  { everyMs, withinMs = 300_000 }: { readonly everyMs: number; readonly withinMs?: number },
): Promise<T> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    assert(performance.now() < deadline, `nothing came of it in ${withinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
