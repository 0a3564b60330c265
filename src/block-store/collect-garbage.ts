/**
 * Deletes what nobody names any more. Manifests first, then whole packs; what
 * lives in a pack that is partly dead, or small, moves into a new one before the old one
 * goes. Whoever else has something to do is let in between. Invariant: a block that a remaining manifest or a pin names is at every
 * moment in a sealed pack that is in the index.
 */
import { setImmediate as breathe } from 'node:timers/promises'
import type { Digest } from '../lib/digest.ts'
import { keyOf, keySizeBytes } from './block.ts'
import { entryAt, entryCount, type Pack } from './block-index.ts'
import { cut } from './cut.ts'
import { packedIn, packPath, spansOf } from './pack-reader.ts'
import type { PackEntry } from './pack-format.ts'
import { PackWriter } from './pack-writer.ts'
import type { Parts } from './parts.ts'
import { packsToMerge, sizeClass } from './small-packs.ts'

export interface GarbageCollected {
  readonly manifestsDeleted: number
  readonly blocksDeleted: number
  readonly packsDeleted: number
  /** Of the disk: deleted packs and manifests, less the new packs. */
  readonly bytesFreed: number
  /** Packs with a damaged block that is still named: they are left as they are. */
  readonly packsDamaged: readonly string[]
}

/** What has to stay. It is asked for when the collection has begun to look. */
export interface Named {
  readonly live: () => Promise<Iterable<Digest>>
  /** Blocks that are not in any manifest yet. */
  readonly blocks?: () => AsyncIterable<Digest>
}

type Tally = { -readonly [K in keyof GarbageCollected]: GarbageCollected[K] } & {
  packsDamaged: string[]
}

export async function collectGarbage(
  parts: Parts,
  { live, blocks }: Named,
): Promise<GarbageCollected> {
  const tally: Tally = {
    manifestsDeleted: 0,
    blocksDeleted: 0,
    packsDeleted: 0,
    bytesFreed: 0,
    packsDamaged: [],
  }
  // An upload that ends from here on may be named by what `live` no longer sees.
  using _kept = parts.pins.keepAll()
  const bornBeforeMs = parts.now().getTime() - parts.graceMs
  const packs = parts.packs.index.packs().filter(({ sealedAtMs }) => sealedAtMs <= bornBeforeMs)
  await deleteManifests(parts, new Set(await live()), bornBeforeMs, tally)
  const marked = await markBlocks(parts, blocks?.() ?? noBlocks)
  const isNeeded = (pack: Pack, position: number) => {
    if (marked.get(pack)?.[position]) return true
    return isHere(parts, pack, position) && parts.pins.has(entryAt(pack, position).key)
  }
  await sweep(parts, packs, isNeeded, tally)
  return tally
}

async function deleteManifests(
  { disk, manifests, pins }: Parts,
  live: ReadonlySet<Digest>,
  bornBeforeMs: number,
  tally: Tally,
): Promise<void> {
  for (const [digest, { sizeBytes, writtenAtMs }] of manifests.files()) {
    if (live.has(digest) || pins.has(digest) || writtenAtMs > bornBeforeMs) continue
    await manifests.remove(digest)
    tally.manifestsDeleted++
    tally.bytesFreed += sizeBytes
  }
  // No manifest may come back after a power cut whose blocks do not.
  await disk.syncNames('manifests')
}

const noBlocks: readonly Digest[] = []

/** The blocks that manifests name, and more of them, as a byte for each entry of each pack. */
async function markBlocks(
  parts: Parts,
  more: Iterable<Digest> | AsyncIterable<Digest>,
): Promise<ReadonlyMap<Pack, Uint8Array>> {
  const marked = new Map<Pack, Uint8Array>()
  const mark = (keys: Buffer, from: number) => {
    const place = parts.packs.index.locate(keys, from)
    if (!place) return
    const marks = marked.get(place.pack) ?? new Uint8Array(entryCount(place.pack))
    marks[place.position] = 1
    marked.set(place.pack, marks)
  }
  // Before the manifests: a block that is named in one by now is no longer among these.
  for await (const digest of more) mark(Buffer.from(keyOf(digest), 'latin1'), 0)
  for (const digest of parts.manifests.files().keys()) {
    // A damaged manifest ends it here: what it names is not known, so nothing may go.
    for await (const keys of parts.manifests.readKeys(digest)) {
      for (let at = 0; at < keys.length; at += keySizeBytes) {
        mark(keys, at)
        if (at % bytesAtOnce === 0) await breathe()
      }
    }
  }
  return marked
}

/** Looking them up takes about a millisecond. */
const bytesAtOnce = 2048 * keySizeBytes

type IsNeeded = (pack: Pack, position: number) => boolean

async function sweep(
  parts: Parts,
  packs: readonly Pack[],
  isNeeded: IsNeeded,
  tally: Tally,
): Promise<void> {
  let mover = new Mover(parts, isNeeded, tally)
  const finish = async () => {
    await mover.finish()
    mover = new Mover(parts, isNeeded, tally)
  }
  const small = packsToMerge(await wholeSmallPacks(packs, isNeeded))
  try {
    for (const pack of packs) {
      await breathe()
      const needed = positionsOf(pack).filter((position) => isNeeded(pack, position))
      if (needed.length === entryCount(pack) && !small.has(pack)) continue
      if (needed.length === 0) {
        await deletePack(parts, pack, tally)
        continue
      }
      if (!mover.hasRoomFor(needed.length)) await finish()
      if (await mover.take(pack, needed)) await finish()
    }
    await finish()
  } catch (error) {
    await mover.discard()
    throw error
  }
  await parts.disk.syncNames('packs')
}

/** Small packs that have nothing dead: those that have are moved anyway. */
async function wholeSmallPacks(packs: readonly Pack[], isNeeded: IsNeeded): Promise<Pack[]> {
  const whole: Pack[] = []
  for (const pack of packs.filter((each) => sizeClass(each) > 0)) {
    await breathe()
    if (positionsOf(pack).every((position) => isNeeded(pack, position))) whole.push(pack)
  }
  return whole
}

/** Collects what lives in some packs in a new one. */
class Mover {
  readonly #parts: Parts
  readonly #isNeeded: IsNeeded
  readonly #tally: Tally
  readonly #from: { readonly pack: Pack; readonly moved: ReadonlySet<number> }[] = []
  #writer: PackWriter | undefined

  constructor(parts: Parts, isNeeded: IsNeeded, tally: Tally) {
    this.#parts = parts
    this.#isNeeded = isNeeded
    this.#tally = tally
  }

  /** Whether the new pack can have so many more blocks. */
  hasRoomFor(blocks: number): boolean {
    return this.#writer?.hasRoomFor(blocks) ?? true
  }

  /** Tells whether the new pack is full. */
  async take(pack: Pack, positions: readonly number[]): Promise<boolean> {
    const { disk, pool, packs } = this.#parts
    const spans = [...spansOf(positions.map((position) => entryAt(pack, position)))]
    const read = async (span: (typeof spans)[number]) => {
      const packed = await disk.read(packPath(pack.name), span)
      if (!packed) return undefined
      const checked = await pool.run('check', { packed, blocks: packedIn(span) })
      return checked.damaged.length === 0 ? checked.packed : undefined
    }
    const contents: { readonly packed: Uint8Array; readonly entries: readonly PackEntry[] }[] = []
    for (const span of spans) {
      const packed = await read(span)
      if (!packed) {
        this.#tally.packsDamaged.push(pack.name)
        return false
      }
      contents.push({ packed, entries: span.entries })
    }
    this.#from.push({ pack, moved: new Set(positions) })
    this.#writer ??= new PackWriter({ disk, number: packs.nextNumber() })
    for (const { packed, entries } of contents) {
      const keys = entries.map(({ key }) => key)
      const lengths = entries.map(({ length }) => length)
      await this.#writer.append(keys, cut(packed, lengths))
    }
    return this.#writer.isFull
  }

  async finish(): Promise<void> {
    if (!this.#writer) return
    const { packs, now } = this.#parts
    const pack = await this.#writer.seal(now().getTime())
    packs.index.add(pack, true)
    this.#tally.bytesFreed -= pack.sizeBytes
    for (const { pack: old, moved } of this.#from) {
      // An upload may have pinned what was dead: then it stays, with the old pack.
      const rest = positionsOf(old).filter((position) => !moved.has(position))
      if (rest.some((position) => this.#isNeeded(old, position))) continue
      await deletePack(this.#parts, old, this.#tally)
      this.#tally.blocksDeleted -= moved.size
    }
  }

  async discard(): Promise<void> {
    await this.#writer?.discard()
  }
}

/** Deletes a pack. What is in it is no longer found, before anything else can happen. */
async function deletePack({ disk, packs }: Parts, pack: Pack, tally: Tally): Promise<void> {
  packs.index.drop(pack)
  await disk.remove(packPath(pack.name))
  tally.packsDeleted++
  tally.blocksDeleted += entryCount(pack)
  tally.bytesFreed += pack.sizeBytes
}

const positionsOf = (pack: Pack): number[] => [...Array(entryCount(pack)).keys()]

/** Not where the block is taken from another pack that has it too. */
function isHere({ packs }: Parts, pack: Pack, position: number): boolean {
  return packs.index.find(entryAt(pack, position).key)?.pack === pack
}
