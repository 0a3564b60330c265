/**
 * Starts a machine, detached: it has a session of its own and ends when it is
 * told to, not when we do. A lock on the pid file sees to it that a folder has one
 * machine, and QEMU itself that a volume has one writer (it locks the images).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { secretsOfDisk } from './block-nodes.ts'
import { commandLine } from './command-line.ts'
import { confined, viewsOf } from './confine.ts'
import { prepareUefi } from './firmware.ts'
import { chainOf, topLayer } from './layers.ts'
import { connectMachine, type Machine } from './machine.ts'
import { findProcess, parentOf } from './machine-process.ts'
import { type MachineSpec, machineFiles } from './machine-spec.ts'
import { removeLinks } from './own-file.ts'
import { withServedBase } from './served-base.ts'
import { SecretFiles } from './secret-file.ts'
import { endTpm, startTpm } from './tpm.ts'
import { toolEnvironment } from '../vpc/run.ts'

/** QEMU ended at once. The message is what it said. */
export class MachineFailed extends Error {
  override readonly name = 'MachineFailed'
}

const startMs = 30_000
const stepMs = 5
const complaintBytesMax = 4_000

/** Returns when QEMU has everything open and answers; the guest runs then. */
export async function startMachine(spec: MachineSpec): Promise<Machine> {
  const folder = await realpath(spec.folder)
  await removeLinks(folder)
  const chains = await Promise.all(
    spec.disks.map(async ({ folder: place, baseSocket }) => {
      const chain = await chainOf(place, await topLayer(place))
      return await withServedBase(chain, baseSocket, folder)
    }),
  )
  const uefi =
    spec.firmware === 'uefi'
      ? await prepareUefi(join(folder, machineFiles.uefiVariables), spec.uefiVariables)
      : undefined
  if (spec.hasTpm) await startTpm(folder)
  const needed = spec.disks.flatMap(({ id, keys }) => secretsOfDisk(id, keys))
  await using secrets = await SecretFiles.open(needed)
  const options = { chains, uefi, secrets: secrets.objects('-object') }
  const args = commandLine({ ...spec, folder }, options)

  await using log = await open(join(folder, machineFiles.log), 'a+')
  const { size: logStart } = await log.stat()
  const walls = await confined(folder, {
    enter: spec.enter,
    views: chains.flatMap(viewsOf),
    pidFile: join(folder, machineFiles.pid),
  })
  const [program = '', ...rest] = [...walls, 'qemu-system-x86_64', ...args]
  const stdio = ['ignore', log.fd, log.fd, ...secrets.descriptors] as const
  const qemu = spawn(program, rest, {
    cwd: folder,
    detached: true,
    stdio: [...stdio],
    env: toolEnvironment,
  })
  const ended = once(qemu, 'exit').then(
    ([code, signal]) => String(signal ?? `exit ${code}`),
    (error: Error) => error.message,
  )
  const machine = await Promise.race([
    ended.then(async (how) => {
      const bytes = Buffer.alloc(complaintBytesMax)
      const { bytesRead } = await log.read(bytes, 0, bytes.length, logStart)
      if (spec.hasTpm) await endTpm(folder)
      const complaint = bytes.toString('utf8', 0, bytesRead).trim()
      throw new MachineFailed(complaint === '' ? how : complaint)
    }),
    connect(folder, qemu),
  ])
  qemu.unref()
  // All that they were for is open.
  await machine.forget(needed.map(({ id }) => id))
  return machine
}

async function connect(folder: string, qemu: ChildProcess): Promise<Machine> {
  let lastError: unknown
  for (let waitedMs = 0; waitedMs < startMs; waitedMs += stepMs) {
    await wait(stepMs)
    if (qemu.exitCode !== null || qemu.signalCode !== null) return await new Promise(() => {})
    // The folder's machine may be another, which is why ours is about to end.
    const pid = await findProcess(folder)
    if (pid === undefined || (await parentOf(pid)) !== qemu.pid) continue
    try {
      return await connectMachine(folder, pid)
    } catch (error) {
      lastError = error
    }
  }
  throw new MachineFailed(`QEMU does not answer in ${startMs} ms`, { cause: lastError })
}
