/** What a command has of the shell it was typed into. Nothing else of the process is touched. */
import type { ReadStream } from 'node:tty'

export interface Shell {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Where paths that a person types begin. */
  readonly folder: string
  readonly input: ReadStream
  readonly output: NodeJS.WriteStream
  readonly errors: NodeJS.WriteStream
  readonly now: () => Date
  /** The repository that the command is in. */
  readonly repository: string
  /** Calls back on SIGINT and SIGTERM instead of ending, until disposed of. */
  onInterrupt(callback: () => void): Disposable
}

/** Writes a line to standard output. */
export function say(shell: Shell, line: string): void {
  shell.output.write(`${line}\n`)
}
