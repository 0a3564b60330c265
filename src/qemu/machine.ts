/**
 * A running machine: its process and its monitor. It outlives us and is found
 * again by its folder; nothing here is remembered that QEMU cannot be asked for.
 * When the guest powers off, QEMU stays, in state `shutdown`.
 */
import { open, readFile, realpath, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { hide, show, viewsOf } from './confine.ts'
import { freeze, type FreezePoint, plug, resizeDisk, topLayers, unplug } from './disks.ts'
import { forgetSecrets } from './disk-secrets.ts'
import { type AgentCommand, askAgent } from './guest-agent.ts'
import { chainOf, topLayer } from './layers.ts'
import { endProcess, findProcess, hasEnded } from './machine-process.ts'
import { type DiskSpec, machineFiles } from './machine-spec.ts'
import { endMerges, type Merge, merge } from './merge-online.ts'
import { ownFile } from './own-file.ts'
import { Qmp, QmpGone } from './qmp.ts'
import { withServedBase } from './served-base.ts'
import { servedDisks, takeBase } from './take-base.ts'
import type { RunState } from './qmp-commands.ts'
import { jpegOfPpm } from './screenshot.ts'

/** What QEMU tells of a machine, e.g. `SHUTDOWN` or `RESET`; `GONE` when it no longer talks to us. */
export interface MachineEvent {
  readonly event: string
  readonly data?: unknown
}

const stepMs = 10
const resetMs = 10_000
const quitMs = 10_000
const monitorMs = 10_000
/** What a guest may take to draw its screen again. */
const redrawMs = 300

export class Machine implements AsyncDisposable {
  readonly folder: string
  readonly pid: number
  readonly #qmp: Qmp
  #agentToken = 0

  /** Of the folder's real path. */
  constructor(folder: string, pid: number, qmp: Qmp) {
    this.folder = folder
    this.pid = pid
    this.#qmp = qmp
  }

  async state(): Promise<RunState> {
    return (await this.#qmp.run('query-status', undefined)).status
  }

  /** False once QEMU has closed the monitor: it is dead, or another talks to it. */
  get isConnected(): boolean {
    return !this.#qmp.isClosed
  }

  /** Has the listener told of every event, until the function it returns is called. */
  onEvent(listener: (event: MachineEvent) => void): () => void {
    return this.#qmp.listen({ event: listener, closed: () => listener({ event: 'GONE' }) })
  }

  /** Asks the guest to shut down. It may not listen. */
  async powerButton(): Promise<void> {
    await this.#qmp.run('system_powerdown', undefined)
  }

  /** Starts the guest again from its firmware, also from where it powered off. */
  async reset(): Promise<void> {
    const was = await this.state()
    await this.#qmp.run('system_reset', undefined)
    if (was === 'running') return
    for (let waitedMs = 0; needsReset(await this.state()); waitedMs += stepMs) {
      if (waitedMs >= resetMs) throw new Error(`the machine does not reset: ${await this.state()}`)
      await wait(stepMs)
    }
    await this.cont()
  }

  async cont(): Promise<void> {
    await this.#qmp.run('cont', undefined)
  }

  /** Holds the guest between two instructions. */
  async stop(): Promise<void> {
    await this.#qmp.run('stop', undefined)
  }

  /** Ends the machine; what it was told to write is in its files. */
  async kill(): Promise<void> {
    try {
      await this.#qmp.run('quit', undefined)
    } catch (error) {
      if (!(error instanceof QmpGone)) throw error
    }
    if (!(await hasEnded(this.folder, this.pid, { timeoutMs: quitMs }))) {
      await endProcess(this.folder)
    }
    await this[Symbol.asyncDispose]()
  }

  /** Has QEMU forget secrets that it was given. */
  async forget(ids: readonly string[]): Promise<void> {
    await forgetSecrets(this.#qmp, ids)
  }

  async topLayers(): Promise<ReadonlyMap<string, number>> {
    return topLayers(this.#qmp)
  }

  async freeze(points: readonly FreezePoint[]): Promise<void> {
    return freeze(this.#qmp, points)
  }

  async merge(options: Merge): Promise<void> {
    return merge(this.#qmp, options)
  }

  /** Ends merges that were begun before it was found. */
  async endMerges(): Promise<void> {
    await endMerges(this.#qmp)
  }

  async plug(disk: DiskSpec, options: { readonly timeoutMs: number }): Promise<void> {
    const files = await chainOf(disk.folder, await topLayer(disk.folder))
    const chain = await withServedBase(files, disk.baseSocket, this.folder)
    await show(this.pid, this.folder, viewsOf(chain))
    await plug(this.#qmp, { disk, chain }, options)
  }

  async unplug(
    disk: Pick<DiskSpec, 'id' | 'folder'>,
    options: { readonly timeoutMs: number; readonly isForced?: boolean },
  ): Promise<'unplugged' | 'pending'> {
    const outcome = await unplug(this.#qmp, disk.id, options)
    if (outcome === 'unplugged') await hide(this.pid, this.folder, resolve(disk.folder))
    return outcome
  }

  /** The disks whose bases are read from a server. */
  async servedDisks(): Promise<readonly string[]> {
    return servedDisks(this.#qmp)
  }

  /** Has a disk read its base from the file, where that is there. Tells whether it does. */
  async takeBase({ id: diskId, folder, keys, baseSocket }: DiskSpec): Promise<boolean> {
    const chain = await chainOf(folder, await topLayer(folder))
    if ((await withServedBase(chain, baseSocket, this.folder)).servedBase) return false
    await show(this.pid, this.folder, viewsOf(chain))
    const isTaken = await takeBase(this.#qmp, { diskId, folder, keys })
    const isLast = baseSocket !== undefined && (await this.servedDisks()).length === 0
    if (isLast) await hide(this.pid, this.folder, await realpath(dirname(baseSocket)))
    return isTaken
  }

  async resize(diskId: string, sizeBytes: number): Promise<void> {
    return resizeDisk(this.#qmp, diskId, sizeBytes)
  }

  /** The models of the TPMs that the guest can see. */
  async tpmModels(): Promise<readonly string[]> {
    return (await this.#qmp.run('query-tpm', undefined)).map(({ model }) => model)
  }

  /** What is on its screen, as a JPEG. A screen that sleeps is woken by a key that types nothing. */
  async screenshot({ wakesUp }: { readonly wakesUp: boolean }): Promise<Uint8Array> {
    if (wakesUp) {
      await this.#qmp.run('send-key', { keys: [{ type: 'qcode', data: 'shift' }] })
      await wait(redrawMs)
    }
    const filename = join(this.folder, machineFiles.screenshot)
    try {
      await this.#qmp.run('screendump', { filename, format: 'ppm' })
      return jpegOfPpm(await readFile(filename, { flag: ownFile }))
    } finally {
      await rm(filename, { force: true })
    }
  }

  async guestAgent(command: AgentCommand, { timeoutMs }: { timeoutMs: number }): Promise<unknown> {
    const token = ++this.#agentToken
    return inFolder(this.folder, (folder) =>
      askAgent(join(folder, machineFiles.guestAgent), command, { timeoutMs, token }),
    )
  }

  /** Leaves the machine to itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#qmp[Symbol.asyncDispose]()
  }
}

/** The machine that runs in this folder, or undefined where none does. */
export async function findMachine(path: string): Promise<Machine | undefined> {
  const folder = await realpath(path).catch(() => undefined)
  if (folder === undefined) return undefined
  let lastError: unknown
  for (let waitedMs = 0; waitedMs < monitorMs; waitedMs += stepMs) {
    const pid = await findProcess(folder)
    if (pid === undefined) return undefined
    try {
      const machine = await connectMachine(folder, pid)
      await machine.endMerges()
      return machine
    } catch (error) {
      // It may be just starting, or just ending.
      lastError = error
      await wait(stepMs)
    }
  }
  throw new Error(`${folder}: the machine runs and does not answer`, { cause: lastError })
}

/** Opens the monitor of a process that is known to be the machine's. */
export async function connectMachine(folder: string, pid: number): Promise<Machine> {
  const qmp = await inFolder(folder, (near) => Qmp.open(join(near, machineFiles.monitor)))
  return new Machine(folder, pid, qmp)
}

function needsReset(state: RunState): boolean {
  return state === 'shutdown' || state === 'internal-error' || state === 'guest-panicked'
}

/** Names the folder in few characters: the path of a socket may have 107 bytes only. */
async function inFolder<Result>(
  folder: string,
  use: (shortPath: string) => Promise<Result>,
): Promise<Result> {
  const handle = await open(folder, 'r')
  try {
    return await use(`/proc/self/fd/${handle.fd}`)
  } finally {
    await handle.close()
  }
}
