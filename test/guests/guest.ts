/** A guest that one logs in to over SSH, at its public address, as any user would. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2'

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** An emulated machine under load boots in a minute or two; a machine that hangs never does. */
const bootMsMax = 5 * 60_000

export class Guest {
  readonly id: string
  readonly #ec2: EC2Client
  readonly #user: string
  readonly #keyPath: string
  readonly #dataFolder: string

  constructor(options: {
    readonly ec2: EC2Client
    readonly instanceId: string
    readonly user: string
    readonly keyPath: string
    readonly dataFolder: string
  }) {
    this.id = options.instanceId
    this.#ec2 = options.ec2
    this.#user = options.user
    this.#keyPath = options.keyPath
    this.#dataFolder = options.dataFolder
  }

  /** Its addresses, as EC2 describes them now. */
  async addresses(): Promise<{ readonly publicIp: string; readonly privateIp: string }> {
    const { Reservations = [] } = await this.#ec2.send(
      new DescribeInstancesCommand({ InstanceIds: [this.id] }),
    )
    const { PublicIpAddress, PrivateIpAddress } = Reservations[0]?.Instances?.[0] ?? {}
    assert(PublicIpAddress && PrivateIpAddress, `${this.id} has no addresses`)
    return { publicIp: PublicIpAddress, privateIp: PrivateIpAddress }
  }

  /** Waits until one can log in. */
  async ready(): Promise<this> {
    const end = performance.now() + bootMsMax
    for (;;) {
      const { code, stderr } = await this.try('true')
      if (code === 0) return this
      if (performance.now() > end || stderr.startsWith('Load key')) {
        throw new Error(`${this.id} does not let us in: ${stderr}\n${await this.console()}`)
      }
      await sleep(200)
    }
  }

  /** Runs a command, and answers what it printed. */
  async run(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.try(command)
    assert.equal(code, 0, `${command}: ${stdout}${stderr}`)
    return stdout.trimEnd()
  }

  /** Runs a command that may fail. */
  async try(command: string): Promise<Ended> {
    const place = await this.#place()
    return await runProgram('ssh', [...this.#flags(), place, command])
  }

  /** Copies a file of the host into it. */
  async copy(path: string, to: string): Promise<void> {
    const place = await this.#place()
    const { code, stderr } = await runProgram('scp', [...this.#flags(), path, `${place}:${to}`])
    assert.equal(code, 0, stderr)
  }

  async #place(): Promise<string> {
    const { publicIp } = await this.addresses()
    return `${this.#user}@${publicIp}`
  }

  #flags(): readonly string[] {
    const options = {
      BatchMode: 'yes',
      IdentitiesOnly: 'yes',
      StrictHostKeyChecking: 'no',
      UserKnownHostsFile: '/dev/null',
      LogLevel: 'ERROR',
      ConnectTimeout: 10,
      ServerAliveInterval: 15,
      Port: sshPort(),
    }
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
    return ['-i', this.#keyPath, ...flags]
  }

  /** What the machine wrote to its serial console, for a message about what went wrong. */
  async console(): Promise<string> {
    const path = join(this.#dataFolder, 'run', this.id, 'console.log')
    const text = await readFile(path, 'utf8').catch(() => '(it wrote nothing)')
    return text.slice(-4000)
  }
}

export async function runProgram(
  program: string,
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string | undefined>>
    readonly cwd?: string
  } = {},
): Promise<Ended> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      })
    })
  })
}

/** An ordinary user may not listen on low ports: these come out at 20000 more. */
function sshPort(): number {
  const lowest = readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')
  return process.getuid?.() === 0 || Number(lowest) <= 22 ? 22 : 20_022
}
