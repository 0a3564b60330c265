/**
 * How large images are, and how much of that each has alone: what would be free were it and
 * its snapshots gone. Found out from the lists of blocks, and kept as long as there are the
 * same disks with the same images on them.
 */
import { createHash } from 'node:crypto'
import { blockSizeBytes } from '../block-store/block.ts'
import { MissingManifest } from '../block-store/errors.ts'
import { listBundleDisks } from '../bundles/store.ts'
import type { Database } from '../db/database.ts'
import { listImageDisks } from '../images/inventory-store.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import { listDisksOfSnapshots } from '../snapshots/disk-store.ts'
import type { ImageSize, ImageSizes } from '../wire/readers.ts'
import { BlockCounts } from './block-counts.ts'

type ReadKeys = (manifest: Digest) => AsyncIterable<Buffer>

/** Who has a disk: one image or something that is none, with a number; or several, who have it with no number. */
type Holders = ReadonlyMap<Digest, ReadonlySet<string>>

export class StoredSizes implements ImageSizes {
  readonly #readKeys: ReadKeys
  #known:
    | { readonly of: string; readonly sizes: Promise<ReadonlyMap<Id<'image'>, ImageSize>> }
    | undefined

  constructor(readKeys: ReadKeys) {
    this.#readKeys = readKeys
  }

  async of(db: Database): Promise<ReadonlyMap<Id<'image'>, ImageSize>> {
    const holders = await listHolders(db)
    const of = digestOf(holders)
    if (this.#known?.of !== of) {
      const sizes = this.#measure(holders)
      this.#known = { of, sizes }
      // What went wrong is tried again.
      sizes.catch(() => (this.#known = undefined))
    }
    return await this.#known.sizes
  }

  async #measure(holders: Holders): Promise<ReadonlyMap<Id<'image'>, ImageSize>> {
    const numbers = new Map<string, number>()
    const numberOf = (holder: string) => {
      const number = numbers.get(holder) ?? numbers.size + 1
      numbers.set(holder, number)
      return number
    }
    const counts = new BlockCounts()
    const disksOf = new Map<string, Digest[]>()
    for (const [manifest, of] of holders) {
      for (const holder of of) disksOf.set(holder, [...(disksOf.get(holder) ?? []), manifest])
      // A disk of several holders is nobody's alone, whoever else has its blocks: two say so.
      for (const holder of [...of].slice(0, 2)) {
        for await (const keys of this.#keysOf(manifest)) counts.add(keys, numberOf(holder))
      }
    }
    const sizes = new Map<Id<'image'>, ImageSize>()
    for (const [holder, disks] of disksOf) {
      if (!holder.startsWith('ami-')) continue
      let [blocks, alone] = [0, 0]
      for (const manifest of disks) {
        for await (const keys of this.#keysOf(manifest)) {
          const found = counts.count(keys, numberOf(holder))
          blocks += found.blocks
          alone += found.alone
        }
      }
      const size = { dataBytes: blocks * blockSizeBytes, aloneBytes: alone * blockSizeBytes }
      sizes.set(holder as Id<'image'>, size)
    }
    return sizes
  }

  /** A disk that is gone meanwhile holds nothing. */
  async *#keysOf(manifest: Digest): AsyncIterable<Buffer> {
    try {
      yield* this.#readKeys(manifest)
    } catch (error) {
      if (!(error instanceof MissingManifest)) throw error
    }
  }
}

async function listHolders(db: Database): Promise<Holders> {
  const holders = new Map<Digest, Set<string>>()
  const add = (manifest: Digest, holder: string) =>
    holders.set(manifest, (holders.get(manifest) ?? new Set()).add(holder))
  const images = new Map<Id<'snapshot'>, Id<'image'>[]>()
  for (const { snapshotId, imageId } of await listImageDisks(db)) {
    images.set(snapshotId, [...(images.get(snapshotId) ?? []), imageId])
  }
  for (const { id, manifest } of await listDisksOfSnapshots(db)) {
    for (const holder of images.get(id) ?? [id]) add(manifest, holder)
  }
  for (const [imageId, manifest] of await listBundleDisks(db)) add(manifest, imageId)
  return holders
}

function digestOf(holders: Holders): string {
  const hash = createHash('sha256')
  for (const manifest of [...holders.keys()].sort()) {
    hash.update(`${manifest} ${[...(holders.get(manifest) ?? [])].sort().join(' ')}\n`)
  }
  return hash.digest('hex')
}
