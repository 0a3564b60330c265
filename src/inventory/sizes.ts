/**
 * How large images are, and how much of that each has alone: what would be free were it and
 * its snapshots gone. Found out from the lists of blocks, and kept as long as there are the
 * same disks with the same images on them.
 */
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { blockSizeBytes } from '../block-store/block.ts'
import { MissingManifest } from '../block-store/errors.ts'
import { listBundleDisks } from '../bundles/store.ts'
import type { Database } from '../db/database.ts'
import { listImageDisks } from '../images/inventory-store.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import { listDisksOfSnapshots } from '../snapshots/disk-store.ts'
import type { ImageSize, ImageSizes } from '../wire/readers.ts'
import { BlockCounts, type BlockNames, namesOf } from './block-counts.ts'

type ReadKeys = (manifest: Digest) => AsyncIterable<Buffer>

/** Who has a disk: one image or something that is none, with a number; or several, who have it with no number. */
type Holders = ReadonlyMap<Digest, ReadonlySet<string>>

/** Answers wait no longer for what is being measured, for they hold up others. */
const patienceMs = 1000
/** Manifests that are read at once. */
const readsAtOnceMax = 8
/** Blocks whose names are kept in memory: 64 MiB of them. What is beyond is read again each time. */
const blocksKeptMax = 8 * 2 ** 20

type Sizes = ReadonlyMap<Id<'image'>, ImageSize>

export class StoredSizes implements ImageSizes {
  readonly #readKeys: ReadKeys
  readonly #patienceMs: number
  #known: { readonly of: string; readonly sizes: Sizes } | undefined
  #measuring: { readonly of: string; readonly done: Promise<unknown> } | undefined
  #kept = new Map<Digest, BlockNames>()

  constructor(readKeys: ReadKeys, waiting = patienceMs) {
    this.#readKeys = readKeys
    this.#patienceMs = waiting
  }

  async of(db: Database): Promise<Sizes | undefined> {
    const holders = await listHolders(db)
    const of = digestOf(holders)
    if (this.#known?.of === of) return this.#known.sizes
    // One at a time: what has changed meanwhile is measured when somebody asks again.
    this.#measuring ??= { of, done: this.#measure(holders, of) }
    const { done } = this.#measuring
    const timer = new AbortController()
    const patience = wait(this.#patienceMs, undefined, { signal: timer.signal }).catch(() => {})
    await Promise.race([done, patience]).finally(() => timer.abort())
    const known = this.#known
    return known?.of === of ? known.sizes : undefined
  }

  async #measure(holders: Holders, of: string): Promise<void> {
    try {
      this.#known = { of, sizes: await this.#sizesOf(holders) }
    } finally {
      this.#measuring = undefined
    }
  }

  async #sizesOf(holders: Holders): Promise<Sizes> {
    await this.#keepNames([...holders.keys()])
    const numbers = new Map<string, number>()
    const numberOf = (holder: string) => {
      const number = numbers.get(holder) ?? numbers.size + 1
      numbers.set(holder, number)
      return number
    }
    const counts = new BlockCounts()
    const disksOf = new Map<string, Digest[]>()
    for (const [manifest, all] of holders) {
      const names = await this.#namesOf(manifest)
      // A disk of several holders is nobody's alone, whoever else has its blocks: two say so.
      for (const holder of [...all].slice(0, 2)) counts.add(names, numberOf(holder))
      for (const holder of all) disksOf.set(holder, [...(disksOf.get(holder) ?? []), manifest])
    }
    const sizes = new Map<Id<'image'>, ImageSize>()
    for (const [holder, disks] of disksOf) {
      if (!holder.startsWith('ami-')) continue
      let [blocks, alone] = [0, 0]
      for (const manifest of disks) {
        const found = counts.count(await this.#namesOf(manifest), numberOf(holder))
        blocks += found.blocks
        alone += found.alone
      }
      const size = { dataBytes: blocks * blockSizeBytes, aloneBytes: alone * blockSizeBytes }
      sizes.set(holder as Id<'image'>, size)
    }
    return sizes
  }

  /** Reads what is not known yet, as far as it is kept, and forgets what is there no more. */
  async #keepNames(manifests: readonly Digest[]): Promise<void> {
    const kept = new Map<Digest, BlockNames>()
    let room = blocksKeptMax
    const keep = (manifest: Digest, names: BlockNames) => {
      room -= names.length / 2
      if (room >= 0) kept.set(manifest, names)
    }
    const missing: Digest[] = []
    for (const manifest of manifests) {
      const names = this.#kept.get(manifest)
      if (names) keep(manifest, names)
      else missing.push(manifest)
    }
    this.#kept = kept
    const read = async () => {
      for (let next = missing.pop(); next && room > 0; next = missing.pop()) {
        keep(next, await this.#namesOf(next))
      }
    }
    await Promise.all(Array.from({ length: readsAtOnceMax }, read))
  }

  /** A disk that is gone meanwhile holds nothing. */
  async #namesOf(manifest: Digest): Promise<BlockNames> {
    const kept = this.#kept.get(manifest)
    if (kept) return kept
    const keys: Buffer[] = []
    try {
      for await (const some of this.#readKeys(manifest)) keys.push(some)
    } catch (error) {
      if (!(error instanceof MissingManifest)) throw error
    }
    return namesOf(keys)
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
