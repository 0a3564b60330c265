/**
 * The command `imago`: a line for each of its commands, which are loaded when they
 * are called. The only file of the command line that touches the process.
 */
import { enableCompileCache } from 'node:module'
import { join, resolve } from 'node:path'
import { stdin } from 'node:process'
import { Command } from 'commander'
import { ConfigError } from '../config.ts'
import { FolderInUse } from '../db/lock.ts'
import { CommandFailed, messageOf } from './failure.ts'
import type { Shell } from './shell.ts'

const repository = resolve(import.meta.dirname, '..', '..')
enableCompileCache(join(repository, 'node_modules', '.cache', 'imago'))

const shell: Shell = {
  environment: process.env,
  folder: process.cwd(),
  input: stdin,
  output: process.stdout,
  errors: process.stderr,
  now: () => new Date(),
  repository,
  onInterrupt(callback) {
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
    for (const signal of signals) process.on(signal, callback)
    return {
      [Symbol.dispose]() {
        for (const signal of signals) process.off(signal, callback)
      },
    }
  },
}

const program = new Command('imago')
  .description('A self-hosted machine-image service behind the EC2 API')
  .showHelpAfterError()
  .enablePositionalOptions()

program
  .command('serve')
  .description('run the service')
  .action(async () => (await import('./commands/serve.ts')).serve(shell))

try {
  await program.parseAsync(process.argv)
} catch (error) {
  const isExpected =
    error instanceof CommandFailed || error instanceof ConfigError || error instanceof FolderInUse
  const line = isExpected || !(error instanceof Error) ? messageOf(error) : error.stack
  process.stderr.write(`imago: ${line}\n`)
  process.exitCode = error instanceof CommandFailed ? error.exitCode : 1
}
