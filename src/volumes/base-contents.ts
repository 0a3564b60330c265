/**
 * The contents of bases, read from the block store: what volumes read of them while their files are
 * being made. What is open is kept as long as somebody has it open.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import { BlockCache } from '../block-store/block-cache.ts'
import { CorruptBlock, MissingBlock } from '../block-store/errors.ts'
import { OpenDisk } from '../block-store/open-disk.ts'
import type { Log } from '../lib/log.ts'
import type { OpenedExport } from '../nbd/server.ts'
import { baseName, type BaseSource } from '../qemu/base-files.ts'
import { cipherUnder, type OpenDiskKey } from './disk-keys.ts'

/** What all that is open keeps in memory of its blocks: 16 MiB. */
const cachedBlocksMax = 32
const sectorBytes = 512

export class BaseContents {
  readonly #blockStore: Pick<BlockStore, 'readManifest' | 'readBlock'>
  readonly #openDiskKey: OpenDiskKey
  readonly #log: Log
  readonly #cache = new BlockCache(cachedBlocksMax)
  readonly #open = new Map<string, { readonly disk: Promise<OpenDisk>; users: number }>()

  constructor(dependencies: {
    readonly blockStore: Pick<BlockStore, 'readManifest' | 'readBlock'>
    readonly openDiskKey: OpenDiskKey
    readonly log: Log
  }) {
    this.#blockStore = dependencies.blockStore
    this.#openDiskKey = dependencies.openDiskKey
    this.#log = dependencies.log
  }

  /** Throws where its manifest or a key is not to be had. A block is looked for when it is read. */
  async open(source: BaseSource): Promise<OpenedExport> {
    const name = baseName(source.base)
    const opened = this.#open.get(name) ?? { disk: this.#openDisk(source), users: 0 }
    this.#open.set(name, opened)
    opened.users++
    let isOpen = true
    const close = () => {
      if (!isOpen) return
      isOpen = false
      if (--opened.users > 0) return
      if (this.#open.get(name) === opened) this.#open.delete(name)
      if (this.#open.size === 0) this.#cache.clear()
    }
    try {
      const disk = await opened.disk
      return {
        // QEMU has disks of whole sectors; behind the end there are zeros.
        sizeBytes: Math.ceil(disk.sizeBytes / sectorBytes) * sectorBytes,
        read: (offset, length) => this.#read(name, disk, { offset, length }),
        [Symbol.dispose]: close,
      }
    } catch (error) {
      this.#open.delete(name)
      close()
      throw error
    }
  }

  async #openDisk({ base, storedKeyArn }: BaseSource): Promise<OpenDisk> {
    const cipher = await cipherUnder(storedKeyArn, this.#openDiskKey)
    const manifest = await this.#blockStore.readManifest(base.manifest, cipher)
    return new OpenDisk(this.#blockStore, { manifest, cipher, cache: this.#cache })
  }

  /** Nothing where it is damaged, which the log tells by name. */
  async #read(
    name: string,
    disk: OpenDisk,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Promise<readonly Uint8Array[] | undefined> {
    try {
      return await disk.read(offset, length)
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#log.error('a machine reads what is damaged', { base: name, offset, error })
      return undefined
    }
  }
}

/** Whether content is not to be had that should be there: nothing that waiting would help. */
export const isDamage = (error: unknown): boolean =>
  error instanceof CorruptBlock || error instanceof MissingBlock
