/** Runs a program in the person's terminal, and ends as it ends. */
import { spawn } from 'node:child_process'
import { constants as system } from 'node:os'
import { delimiter } from 'node:path'
import { findTool } from '../vpc/run.ts'
import type { Shell } from './shell.ts'

/** The full path of a program as the shell would find it, or nothing. */
export function findProgram({ environment }: Shell, name: string): string | undefined {
  const folders = (environment['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return findTool(name, folders)
}

/** Answers the exit code, as a shell gives it: 128 and the signal's number where one ended it. */
export async function runProgram(
  shell: Shell,
  command: readonly string[],
  environment: Shell['environment'] = shell.environment,
): Promise<number> {
  const [program = '', ...args] = command
  // Ctrl-C is the program's to understand, which has it from the terminal too.
  using _signals = shell.onInterrupt(() => {})
  const child = spawn(program, args, { stdio: 'inherit', env: { ...environment } })
  return await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? 128 + system.signals[signal ?? 'SIGTERM']))
  })
}
