/** A machine of the demonstration, as somebody sees it who logs in. */
import { spawn } from 'node:child_process'
import { callEc2 } from '../ec2-client.ts'
import { CommandFailed } from '../failure.ts'
import { findRunningInstance } from '../find-instance.ts'
import type { Access } from '../installation.ts'
import { sshCommand } from '../ssh-command.ts'
import { waitForSsh } from '../ssh-port.ts'
import { textAt } from '../xml.ts'

export interface Guest {
  readonly id: string
  readonly address: string
  /** Runs a shell command there, and answers what it wrote. */
  run(command: string, input?: string): Promise<string>
}

const bootMs = 300_000

/** Answers when SSH does. */
export async function reachGuest(
  access: Access,
  instanceId: string,
  { dataFolder, keyFile }: { readonly dataFolder: string; readonly keyFile: string },
): Promise<Guest> {
  const { publicAddress: address } = await findRunningInstance(access, instanceId)
  const port = await waitForSsh(address, { timeoutMs: bootMs })
  if (port === undefined) {
    const last = await lastConsoleLine(access, instanceId)
    throw new CommandFailed(`SSH does not answer at ${address}; the console ends with: ${last}`)
  }
  const command = sshCommand({ instanceId, address, port, user: 'root', keyFile, dataFolder })
  return {
    id: instanceId,
    address: port === 22 ? address : `${address} port ${port}`,
    run: (remote, input = '') => runQuietly([...command, remote], input),
  }
}

async function lastConsoleLine(access: Access, instanceId: string): Promise<string> {
  const answer = await callEc2(access, 'GetConsoleOutput', { InstanceId: instanceId })
  const text = Buffer.from(textAt(answer, 'output'), 'base64').toString()
  return (
    text
      .trim()
      .split(/[\r\n]+/)
      .at(-1) ?? ''
  )
}

async function runQuietly(command: readonly string[], input: string): Promise<string> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: 'pipe' })
  let output = ''
  let complaint = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text))
  child.stdin.on('error', () => {}) // It may end without having read everything.
  child.stdin.end(input)
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  child.on('error', reject)
  child.on('close', (code) => {
    if (code === 0) return resolve(output.trim())
    reject(new CommandFailed(`"${args.at(-1)}" failed over SSH: ${complaint.trim() || code}`))
  })
  return promise
}
