/**
 * Disks, stored block by block under their digests, and never changed.
 *
 * Invariants: a digest names exactly the content it was made of, or nothing; what
 * a promise here has resolved for is there for good, as long as a manifest that
 * the database names, or an open upload, holds it. A power cut at any moment
 * keeps it so, which `block-store.crash.test.ts` tries for every moment there is.
 * One program at a time may write to a folder.
 */
import { availableParallelism } from 'node:os'
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, digestOfKey, keyOf, zeroKey } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { collectGarbage, type GarbageCollected, type Named } from './collect-garbage.ts'
import { reseal } from './copy-disk.ts'
import { type Disk, folders, openDisk } from './disk.ts'
import type { Manifest } from './manifest.ts'
import { Manifests } from './manifests.ts'
import { Packs } from './packs.ts'
import type { Parts } from './parts.ts'
import { PinRegistry } from './pins.ts'
import { readPackedBlocks } from './read-packed.ts'
import { repair, type Repaired, type RepairOptions } from './repair.ts'
import { Upload } from './upload.ts'
import { type Finding, verify, type VerifyOptions } from './verify.ts'
import { WorkerPool } from './worker-pool.ts'
import { writeDisk, type WriteOptions } from './write-disk.ts'

export interface BlockStoreOptions {
  /** The folder; a test gives a disk instead. */
  readonly folder: string | Disk
  readonly now: () => Date
  /** Nothing younger is collected. */
  readonly graceMs: number
  /** Threads for reading, hashing and packing; with 0 it is done in this one. */
  readonly workers?: number
  /** To look at a store that another program writes to: nothing is changed at all. */
  readonly readOnly?: boolean
  readonly log?: (message: string, fields: Readonly<Record<string, unknown>>) => void
}

export interface PlainBlock {
  readonly digest: Digest
  readonly packed: Uint8Array<ArrayBuffer>
}

export interface StoreUsage {
  readonly packs: number
  readonly blocks: number
  readonly manifests: number
  /** What packs and manifests take on disk. */
  readonly bytes: number
}

const workersMax = 4

export class BlockStore {
  readonly #parts: Parts
  /** The last work of closed uploads. */
  readonly #closing = new Set<Promise<void>>()
  #collecting: Promise<unknown> = Promise.resolve()

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  static async open(options: BlockStoreOptions): Promise<BlockStore> {
    const { folder, now, graceMs, readOnly = false, log } = options
    const disk = typeof folder === 'string' ? await openDisk(folder, readOnly) : folder
    if (!readOnly) await tidy(disk)
    const workers = options.workers ?? Math.min(availableParallelism(), workersMax)
    const packs = await Packs.open(disk, await disk.list('packs'))
    for (const { name, reason } of packs.broken) log?.('pack is unreadable', { name, reason })
    const manifests = new Manifests(disk, await disk.list('manifests'))
    const pool = new WorkerPool(workers)
    const pins = new PinRegistry()
    const claims = new Map()
    return new BlockStore({ disk, pool, packs, manifests, pins, claims, now, graceMs })
  }

  /**
   * Begins an upload, to be closed when the database names what it stored. With a cipher,
   * all that it stores is encrypted.
   */
  beginUpload(cipher?: BlockCipher): Upload {
    this.#parts.pool.warmUp()
    const onClose = (finished: Promise<void>) => {
      this.#closing.add(finished)
      void finished.finally(() => this.#closing.delete(finished))
    }
    return new Upload(this.#parts, onClose, cipher)
  }

  /**
   * The plain bytes, verified. Throws `CorruptBlock` or `MissingBlock`. What is encrypted
   * is to be read with its cipher: with another, or none, it is as good as damaged.
   */
  async readBlock(digest: Digest, cipher?: BlockCipher): Promise<Uint8Array> {
    const { packs, pool } = this.#parts
    return await packs.readBlock(keyOf(digest), pool, cipher)
  }

  /** Blocks packed, in their order, as `Upload.takeBlocks` takes them: verified too. */
  async readPackedBlocks(keys: readonly BlockKey[]): Promise<readonly Uint8Array[]> {
    return await readPackedBlocks(this.#parts, keys)
  }

  /** A block that is encrypted as it would be were it plain: packed, with the name that it has then. */
  async unsealBlock(name: Digest, cipher: BlockCipher): Promise<PlainBlock> {
    const { packed, key } = await reseal(this.#parts, keyOf(name), cipher, undefined)
    return { digest: digestOfKey(key), packed }
  }

  /** The manifest, verified. Throws `CorruptManifest` or `MissingManifest`. */
  async readManifest(digest: Digest, cipher?: BlockCipher): Promise<Manifest> {
    return await this.#parts.manifests.read(digest, cipher)
  }

  /** The names of its blocks, each at least once, 32 bytes each: also where it is encrypted. */
  readKeys(manifest: Digest): AsyncGenerator<Buffer> {
    return this.#parts.manifests.readKeys(manifest)
  }

  hasBlock(digest: Digest): boolean {
    const key = keyOf(digest)
    return key === zeroKey || this.#parts.packs.index.has(key)
  }

  hasManifest(digest: Digest): boolean {
    return this.#parts.manifests.files().has(digest)
  }

  /**
   * Makes a disk a file, by way of `<path>.tmp`: a sparse raw one, or what the options say.
   * Throws `DiskFull` among others.
   */
  async writeDisk(manifest: Digest, path: string, options: WriteOptions = {}): Promise<void> {
    await writeDisk(this.#parts, await this.readManifest(manifest, options.cipher), path, options)
  }

  /**
   * Deletes what is named neither by `live` manifests, nor by itself among `blocks`, nor
   * by uploads. One at a time; others wait.
   */
  async collectGarbage(named: Named): Promise<GarbageCollected> {
    const run = this.#collecting.then(() => collectGarbage(this.#parts, named))
    this.#collecting = run.catch(() => {})
    return await run
  }

  /** Checks everything there is. */
  verify(options: VerifyOptions = {}): AsyncGenerator<Finding> {
    return verify(this.#parts, options)
  }

  /** Repairs what is damaged, as far as there are copies. Nothing else may use the store. */
  async repair(options: RepairOptions): Promise<Repaired> {
    return await repair(this.#parts, options)
  }

  usage(): StoreUsage {
    const { packs, manifests } = this.#parts
    const files = [...packs.index.packs(), ...packs.broken, ...manifests.files().values()]
    return {
      packs: packs.index.packs().length + packs.broken.length,
      blocks: packs.index.size,
      manifests: manifests.files().size,
      bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    }
  }

  /** Ends the threads. Uploads are to be closed before. */
  async close(): Promise<void> {
    await Promise.all([this.#collecting, ...this.#closing])
    await this.#parts.pool.close()
  }
}

/** Makes names that are seen last, and throws away what a program before us did not finish. */
async function tidy(disk: Disk): Promise<void> {
  for (const folder of folders) {
    for (const { name } of await disk.list(folder)) {
      if (name.endsWith('.tmp')) await disk.remove(`${folder}/${name}`)
    }
    await disk.syncNames(folder)
  }
}
