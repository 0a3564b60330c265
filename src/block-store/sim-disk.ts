/**
 * A disk in memory whose power can be cut after any number of operations, and
 * which can be full. For tests.
 */
import { hash } from 'node:crypto'
import type { Disk, FileInfo, Folder, NewFile, Range } from './disk.ts'

interface File {
  content: Buffer
  synced: boolean
  modifiedAtMs: number
}

export class PowerCut extends Error {}

export class SimDisk implements Disk {
  readonly #now: () => Date
  readonly #pause: () => Promise<void>
  /** What a running program sees. */
  #names = new Map<string, File>()
  /** What is sure to be there after a power cut. */
  #syncedNames = new Map<string, File>()
  #operationsLeft = Infinity
  #bytesFree = Infinity

  /** `pause` is how long operations take, so that they overlap in many ways. */
  constructor(now: () => Date, pause: () => Promise<void> = async () => {}) {
    this.#now = now
    this.#pause = pause
  }

  cutPowerAfter(operations: number): void {
    this.#operationsLeft = operations
  }

  /** It is in memory. */
  pathOf(): undefined {}

  fillUpAfter(bytes: number): void {
    this.#bytesFree = bytes
  }

  get hasPower(): boolean {
    return this.#operationsLeft > 0
  }

  /**
   * The disk after the power came back. Of what was not synced, `survives`
   * decides what made it; unsynced content that did not is half written.
   */
  restart(survives: () => boolean): SimDisk {
    const disk = new SimDisk(this.#now, this.#pause)
    for (const name of new Set([...this.#syncedNames.keys(), ...this.#names.keys()])) {
      const newest = this.#names.get(name)
      const file = survives() ? newest : this.#syncedNames.get(name)
      if (!file) continue
      const whole = file.synced || survives()
      const content = whole ? file.content : file.content.subarray(0, file.content.length / 2)
      disk.#names.set(name, { ...file, content, synced: true })
    }
    disk.#syncedNames = new Map(disk.#names)
    return disk
  }

  /** Kills the program and not the power: nothing is lost, and nothing more is synced. */
  reopen(): SimDisk {
    this.#operationsLeft = Infinity
    const disk = new SimDisk(this.#now, this.#pause)
    disk.#names = this.#names
    disk.#syncedNames = this.#syncedNames
    this.#operationsLeft = 0 // What still runs in the old program does nothing any more.
    return disk
  }

  /** Flips bits of one byte of a file. */
  damage(name: string, at: number, bits = 0x40): void {
    const file = this.#file(name)
    file.content = Buffer.from(file.content)
    file.content[at] = (file.content[at] ?? 0) ^ bits
  }

  sizeOf(name: string): number {
    return this.#file(name).content.length
  }

  /** Brings in a file of another disk. */
  copyFrom(other: SimDisk, name: string): void {
    this.#names.set(name, { ...other.#file(name) })
  }

  /** Every file with the digest of its content. */
  files(): ReadonlyMap<string, string> {
    return new Map([...this.#names].map(([name, file]) => [name, hash('sha256', file.content)]))
  }

  async list(folder: Folder): Promise<readonly FileInfo[]> {
    await this.#spend()
    const inside = [...this.#names].filter(([name]) => name.startsWith(`${folder}/`))
    return inside.map(([name, { content, modifiedAtMs }]) => ({
      name: name.slice(folder.length + 1),
      sizeBytes: content.length,
      modifiedAtMs,
    }))
  }

  async read(name: string, range: Range): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await this.#spend()
    const content = this.#names.get(name)?.content
    return content && new Uint8Array(content.subarray(range.offset, range.offset + range.length))
  }

  async create(name: string): Promise<NewFile> {
    await this.#spend()
    this.#fill(0)
    const modifiedAtMs = this.#now().getTime()
    const file: File = { content: Buffer.alloc(0), synced: false, modifiedAtMs }
    this.#names.set(name, file)
    return {
      append: async (bytes) => {
        this.#spendNow()
        this.#fill(bytes.length)
        file.content = Buffer.concat([file.content, bytes])
        file.synced = false
        await this.#pause() // Bytes keep their order.
      },
      sync: async () => {
        await this.#spend()
        file.synced = true
      },
      close: async () => {},
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#spend()
    const file = this.#file(from)
    this.#names.delete(from)
    this.#names.set(to, file)
  }

  async remove(name: string): Promise<void> {
    await this.#spend()
    this.#names.delete(name)
  }

  async syncNames(folder: Folder): Promise<void> {
    await this.#spend()
    const inside = (name: string) => name.startsWith(`${folder}/`)
    for (const name of this.#syncedNames.keys()) if (inside(name)) this.#syncedNames.delete(name)
    for (const [name, file] of this.#names) if (inside(name)) this.#syncedNames.set(name, file)
  }

  #file(name: string): File {
    const file = this.#names.get(name)
    if (!file) throw Object.assign(new Error(`no such file: ${name}`), { code: 'ENOENT' })
    return file
  }

  /** Where nothing is free, there is no room for a name either. */
  #fill(bytes: number): void {
    if (this.#bytesFree === 0 || bytes > this.#bytesFree) {
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    this.#bytesFree -= bytes
  }

  async #spend(): Promise<void> {
    await this.#pause()
    this.#spendNow()
  }

  #spendNow(): void {
    if (this.#operationsLeft === 0) throw new PowerCut()
    this.#operationsLeft--
  }
}
