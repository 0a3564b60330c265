/**
 * Where the demonstration plays: a service of its own on a data folder of its
 * own. When it is disposed of, machines, service and folder are gone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { endProcess } from '../../qemu/machine-process.ts'
import { Vpc } from '../../vpc/vpc.ts'
import { callEc2 } from '../ec2-client.ts'
import { CommandFailed } from '../failure.ts'
import { type Access, readInstallation } from '../installation.ts'
import type { Shell } from '../shell.ts'
import { itemsAt, textAt } from '../xml.ts'

export interface Stage {
  readonly dataFolder: string
  readonly access: Access
  /** What runs the guests, in the service's own words. */
  readonly guests: string
  end(): Promise<void>
}

const pollMs = 100
const endMs = 60_000

/** Starts the service, and answers when its starter image is there. `onLine` hears what it says. */
export async function openStage(
  shell: Shell,
  options: { readonly onLine: (line: string) => void; readonly signal: AbortSignal },
): Promise<Stage> {
  const { onLine, signal } = options
  const dataFolder = await mkdtemp(join(tmpdir(), 'imago-demo-'))
  const environment = {
    ...Object.fromEntries(
      Object.entries(shell.environment).filter(([name]) => !name.startsWith('IMAGO_ROOT_')),
    ),
    IMAGO_DATA: dataFolder,
    IMAGO_LISTEN: '127.0.0.1:0',
  }
  // In a session of its own, so that Ctrl-C reaches us alone and machines are ended first.
  const service = spawn(join(shell.repository, 'bin', 'imago'), ['serve'], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said: string[] = []
  const hear = (bytes: Buffer): void => {
    for (const line of bytes.toString().split('\n').filter(Boolean)) {
      said.push(line)
      onLine(line)
    }
  }
  service.stdout.on('data', hear)
  service.stderr.on('data', hear)
  const ended = once(service, 'close')
  const isOver = () => service.exitCode !== null || service.signalCode !== null

  const end = async (): Promise<void> => {
    if (!isOver()) {
      await terminateAll({ ...shell, environment }).catch(() => {})
      service.kill('SIGTERM')
      await ended
    }
    await endMachines(dataFolder)
    await rm(dataFolder, { recursive: true, force: true })
  }
  try {
    while (!said.some((line) => line.startsWith('Imago listens'))) {
      signal.throwIfAborted()
      if (isOver()) throw new CommandFailed(`The service did not start: ${said.at(-1) ?? ''}`)
      await wait(pollMs)
    }
    const { access } = readInstallation({ ...shell, environment })
    const guests = said.find((line) => line.includes('guests run on'))?.split(/ on +/)[1] ?? ''
    return { dataFolder, access, guests, end }
  } catch (error) {
    await end()
    throw error
  }
}

async function terminateAll(shell: Shell): Promise<void> {
  const { access } = readInstallation(shell)
  const live = async () => {
    const answer = await callEc2(access, 'DescribeInstances')
    return itemsAt(answer, 'reservationSet')
      .flatMap((reservation) => itemsAt(reservation, 'instancesSet'))
      .filter((instance) => textAt(instance, 'instanceState', 'name') !== 'terminated')
      .map((instance) => textAt(instance, 'instanceId'))
  }
  const ids = await live()
  if (ids.length > 0) await callEc2(access, 'TerminateInstances', { InstanceId: ids })
  for (let waitedMs = 0; waitedMs < endMs && (await live()).length > 0; waitedMs += pollMs) {
    await wait(pollMs)
  }
}

/** Machines and networks outlive their service: none may outlive its folder. */
async function endMachines(dataFolder: string): Promise<void> {
  const runFolder = join(dataFolder, 'run')
  const names = await readdir(runFolder).catch(() => [])
  for (const name of names) await endProcess(join(runFolder, name))
  for (const name of names.filter((one) => one.startsWith('vpc-'))) {
    await new Vpc(join(runFolder, name)).destroy()
  }
}
