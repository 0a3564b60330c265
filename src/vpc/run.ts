/** Runs one tool to its end. The tools live in sbin folders, which an ordinary user's PATH often lacks. */
import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** The whole environment of every program that is started here. */
export const toolEnvironment = { PATH: folders.join(delimiter), LC_ALL: 'C' } as const

/** The full path of a tool, or undefined where none of the folders has it. */
export function findTool(name: string, inside: readonly string[] = folders): string | undefined {
  return inside
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

/** A tool ended with something other than 0; the message holds what it said. */
export class ToolFailed extends Error {
  override readonly name = 'ToolFailed'
}

/** Runs a command with the text as its standard input; answers its standard output. */
export function run(command: readonly string[], input = ''): Promise<string> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: toolEnvironment, stdio: 'pipe' })
    const out: Buffer[] = []
    const errors: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
    child.stdin.on('error', () => undefined) // It may end without having read everything.
    child.on('error', reject)
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out).toString())
      const said = Buffer.concat(errors).toString().trim()
      return reject(new ToolFailed(`run ${command.join(' ')}: ${signal ?? code}: ${said}`))
    })
    child.stdin.end(input)
  })
}
