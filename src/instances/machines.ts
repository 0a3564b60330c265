/**
 * The machines that run behind instances, each found again by its folder. An
 * event of QEMU is only noted: the instance is looked at then.
 */
import { lstat, open, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Id } from '../lib/ids.ts'
import { findMachine, type Machine } from '../qemu/machine.ts'
import { findProcess } from '../qemu/machine-process.ts'
import { machineFiles } from '../qemu/machine-spec.ts'
import { ownFile } from '../qemu/own-file.ts'
import { endTpm, readEndorsementKey } from '../qemu/tpm.ts'
import type { EndorsementKeyType } from '../qemu/tpm-key.ts'
import { readVariables } from '../qemu/uefi-store.ts'
import { UefiDataError, type UefiVariable } from '../qemu/uefi-variable.ts'

export class Machines {
  readonly #runFolder: string
  readonly #connected = new Map<Id<'instance'>, Machine>()
  readonly #finding = new Map<Id<'instance'>, Promise<Machine | undefined>>()
  readonly #onEvent: (id: Id<'instance'>) => void

  /** `onEvent` is called when something happened to a machine; what, is for the caller to see. */
  constructor(runFolder: string, onEvent: (id: Id<'instance'>) => void) {
    this.#runFolder = runFolder
    this.#onEvent = onEvent
  }

  /** Where a machine has its sockets and logs. */
  folder(id: Id<'instance'>): string {
    return join(this.#runFolder, id)
  }

  /** Its process, where one runs. */
  async findPid(id: Id<'instance'>): Promise<number | undefined> {
    const folder = await realpath(this.folder(id)).catch(() => undefined)
    return folder === undefined ? undefined : await findProcess(folder)
  }

  /** The machine of an instance, or nothing where none runs. */
  async find(id: Id<'instance'>): Promise<Machine | undefined> {
    const known = this.#connected.get(id)
    if (known?.isConnected) return known
    this.#connected.delete(id)
    // A monitor talks to one at a time, so those who look at once share what is found.
    const finding = this.#finding.get(id) ?? this.#find(id)
    this.#finding.set(id, finding)
    return await finding.finally(() => this.#finding.delete(id))
  }

  async #find(id: Id<'instance'>): Promise<Machine | undefined> {
    const found = await findMachine(this.folder(id))
    return found && this.adopt(id, found)
  }

  /** Keeps the connection to a machine, and listens to what it tells. */
  adopt(id: Id<'instance'>, machine: Machine): Machine {
    this.#connected.set(id, machine)
    machine.onEvent(({ event }) => {
      if (event === 'GONE') this.#connected.delete(id)
      this.#onEvent(id)
    })
    return machine
  }

  /** The last bytes that a machine has written to its serial console, and when. */
  async consoleOutput(
    id: Id<'instance'>,
    bytesMax: number,
  ): Promise<{ readonly bytes: Uint8Array; readonly at: Date } | undefined> {
    const path = join(this.folder(id), machineFiles.console)
    const found = await lstat(path).catch(() => undefined)
    if (!found?.isFile()) return undefined
    await using file = await open(path, ownFile)
    const length = Math.min(found.size, bytesMax)
    const bytes = Buffer.alloc(length)
    await file.read(bytes, 0, length, found.size - length)
    return { bytes, at: found.mtime }
  }

  /** The variables of its UEFI, as a power cut now would leave them; nothing where it has none yet. */
  async uefiVariables(
    id: Id<'instance'>,
  ): Promise<readonly UefiVariable[] | 'unreadable' | undefined> {
    const path = join(this.folder(id), machineFiles.uefiVariables)
    const file = await readFile(path, { flag: ownFile }).catch(() => undefined)
    try {
      return file && readVariables(file)
    } catch (error) {
      // The firmware tidies its store at times, and a guest can spoil it.
      if (error instanceof UefiDataError) return 'unreadable'
      throw error
    }
  }

  /** A public half of a key of its TPM, as TPMT_PUBLIC; nothing where it has no TPM yet. */
  async tpmKey(id: Id<'instance'>, type: EndorsementKeyType): Promise<Uint8Array | undefined> {
    return readEndorsementKey(this.folder(id), type)
  }

  /** Ends a TPM that a start which was cut off has left without its machine. */
  async endTpm(id: Id<'instance'>): Promise<void> {
    const folder = await realpath(this.folder(id)).catch(() => undefined)
    if (folder !== undefined) await endTpm(folder)
  }

  /** A picture of a machine's screen, as JPEG; nothing where none runs. */
  async screenshot(
    id: Id<'instance'>,
    options: { readonly wakesUp: boolean },
  ): Promise<Uint8Array | undefined> {
    const machine = await this.find(id)
    return machine?.screenshot(options)
  }

  /** Leaves all machines to themselves. */
  async close(): Promise<void> {
    const machines = [...this.#connected.values()]
    this.#connected.clear()
    await Promise.all(machines.map((machine) => machine[Symbol.asyncDispose]()))
  }
}
