/**
 * Repairs what is damaged or missing, from wherever a good copy is found. Only what live
 * disks need is repaired. Invariant: good blocks are in a new, sealed pack before the pack
 * that has damage goes, and that stays as long as something in it is lost; so a program
 * that is cut off has lost nothing, and the next one goes on.
 */
import { type Digest, digestOf } from '../lib/digest.ts'
import { type BlockKey, digestOfKey, keyOf, packBlock } from './block.ts'
import { entryAt, entryCount, type Pack, type Place } from './block-index.ts'
import { MissingManifest, CorruptManifest } from './errors.ts'
import { decodeManifest } from './manifest.ts'
import { packPath } from './pack-reader.ts'
import { PackWriter } from './pack-writer.ts'
import type { Parts } from './parts.ts'
import { isIntact } from './sealed-block.ts'
import { salvage } from './salvage.ts'
import { verify, type VerifyOptions } from './verify.ts'

/** Where a block is on a disk. */
export interface BlockUse {
  readonly manifest: Digest
  /** Nobody knows it where the disk is encrypted. */
  readonly index: number | undefined
}

/** Other places where content may be. What they give is not trusted. */
export interface Copies {
  /** Plain blocks, of those that are wanted, which get fewer meanwhile. */
  findBlocks(wanted: ReadonlyMap<Digest, readonly BlockUse[]>): AsyncIterable<Uint8Array>
  /** What may be the plain bytes of a manifest. */
  findManifest(digest: Digest): AsyncIterable<Buffer>
}

export interface RepairOptions extends VerifyOptions {
  /** Manifests that the database names. */
  readonly live: Iterable<Digest>
  /** Blocks that it names beside those. */
  readonly blocks?: AsyncIterable<Digest>
  readonly copies: Copies
}

export interface Lost {
  readonly digest: Digest
  /** Where it belongs: nowhere yet, where it is a block of no manifest. */
  readonly uses: readonly BlockUse[]
}

export interface Repaired {
  readonly manifests: readonly Digest[]
  readonly blocks: readonly Digest[]
  /** Packs that had damage, and are gone because nothing in them is missed. */
  readonly packsReplaced: readonly string[]
  readonly lostManifests: readonly Digest[]
  readonly lostBlocks: readonly Lost[]
}

/** No upload may be open: who repairs is alone. */
export async function repair(parts: Parts, options: RepairOptions): Promise<Repaired> {
  const live = new Set(options.live)
  const damage = await assess(parts, { ...options, live })
  const manifests = await repairManifests(parts, damage.manifests, live, options)
  const wanted = await listWanted(parts, live, damage, options)
  const { blocks, lost } = await repairBlocks(parts, wanted, damage, options)
  // What belongs to a disk whose list is lost is not known, so nothing may go.
  const packsReplaced = manifests.lost.length > 0 ? [] : await dropPacks(parts, damage, lost)
  await Promise.all((['packs', 'manifests'] as const).map((name) => parts.disk.syncNames(name)))
  return {
    manifests: manifests.repaired,
    blocks,
    packsReplaced,
    lostManifests: manifests.lost,
    lostBlocks: lost,
  }
}

interface Damage {
  readonly manifests: ReadonlySet<Digest>
  readonly blocks: ReadonlySet<BlockKey>
  /** File names of packs that are to be replaced. */
  readonly packs: ReadonlySet<string>
}

async function assess(parts: Parts, options: VerifyOptions): Promise<Damage> {
  const manifests = new Set<Digest>()
  const blocks = new Set<BlockKey>()
  const packs = new Set<string>()
  for await (const found of verify(parts, options)) {
    if (found.kind === 'damaged manifest' || found.kind === 'missing manifest') {
      manifests.add(found.manifest)
    } else if (found.kind === 'unreadable pack') packs.add(found.file)
    else if (found.kind === 'damaged block') {
      packs.add(found.file)
      blocks.add(keyOf(found.digest))
    }
  }
  return { manifests, blocks, packs }
}

async function repairManifests(
  { manifests, now }: Parts,
  damaged: ReadonlySet<Digest>,
  live: ReadonlySet<Digest>,
  { copies }: RepairOptions,
) {
  const repaired: Digest[] = []
  const lost: Digest[] = []
  for (const digest of damaged) {
    if (!live.has(digest)) {
      await manifests.remove(digest)
      continue
    }
    let found: Buffer | undefined
    for await (const plain of copies.findManifest(digest)) {
      if (digestOf(plain) !== digest || !isManifest(plain)) continue
      found = plain
      break
    }
    if (found) await manifests.replace(found, digest, now().getTime())
    ;(found ? repaired : lost).push(digest)
  }
  return { repaired, lost }
}

function isManifest(plain: Buffer): boolean {
  try {
    decodeManifest(plain)
    return true
  } catch {
    return false
  }
}

/**
 * The blocks that need a new place: those that are damaged or missing, and their neighbours in
 * packs that go. A manifest that nothing names and that is not whole goes.
 */
async function listWanted(
  { manifests, packs }: Parts,
  live: ReadonlySet<Digest>,
  damage: Damage,
  { blocks = noBlocks }: RepairOptions,
): Promise<Map<Digest, BlockUse[]>> {
  const wanted = new Map<Digest, BlockUse[]>()
  const isGood = (key: BlockKey) => {
    const place = packs.index.find(key)
    return place !== undefined && !damage.packs.has(packPath(place.pack.name))
  }
  for await (const digest of blocks) if (!isGood(keyOf(digest))) wanted.set(digest, [])
  for (const manifest of manifests.files().keys()) {
    const content = await manifests.readNames(manifest).catch((error: unknown) => {
      if (error instanceof CorruptManifest || error instanceof MissingManifest) return undefined
      throw error
    })
    let position = -1
    for (const key of content?.keys ?? []) {
      position++
      if (isGood(key)) continue
      if (!live.has(manifest)) {
        await manifests.remove(manifest)
        break
      }
      const digest = digestOfKey(key)
      const uses = wanted.get(digest) ?? []
      uses.push({ manifest, index: content?.plain?.indexes[position] })
      wanted.set(digest, uses)
    }
  }
  return wanted
}

async function* nothing(): AsyncGenerator<Digest> {}
const noBlocks: AsyncIterable<Digest> = { [Symbol.asyncIterator]: nothing }

/** Puts every wanted block that is found anywhere into new packs. `wanted` is used up. */
async function repairBlocks(
  parts: Parts,
  wanted: Map<Digest, readonly BlockUse[]>,
  damage: Damage,
  { copies, signal }: RepairOptions,
): Promise<{ readonly blocks: readonly Digest[]; readonly lost: readonly Lost[] }> {
  const { packs } = parts
  const blocks: Digest[] = []
  const rewriter = new Rewriter(parts)
  const take = async (key: BlockKey, packed: Uint8Array) => {
    signal?.throwIfAborted()
    const digest = digestOfKey(key)
    if (!wanted.delete(digest)) return
    if (damage.blocks.has(key) || !packs.index.has(key)) blocks.push(digest)
    await rewriter.put(key, packed)
  }
  try {
    for (const [key, places] of placesOf(packs.index.packs(), wanted)) {
      const packed = await readGood(parts, key, places)
      if (packed) await take(key, packed)
    }
    for (const { name, sizeBytes } of packs.broken) {
      const bytes = await parts.disk.read(packPath(name), { offset: 0, length: sizeBytes })
      for (const found of salvage(bytes ?? new Uint8Array())) await take(found.key, found.packed)
    }
    if (wanted.size > 0) {
      for await (const plain of copies.findBlocks(wanted)) {
        const key = keyOf(digestOf(plain))
        if (wanted.has(digestOfKey(key))) await take(key, packBlock(plain))
      }
    }
    await rewriter.seal()
  } catch (error) {
    await rewriter.discard()
    throw error
  }
  return { blocks, lost: [...wanted].map(([digest, uses]) => ({ digest, uses })) }
}

/** Every place where a wanted block lies, be it good or not, in the order of packs. */
function placesOf(packs: readonly Pack[], wanted: ReadonlyMap<Digest, unknown>) {
  const places = new Map<BlockKey, Place[]>()
  if (wanted.size === 0) return places
  const keys = new Set([...wanted.keys()].map(keyOf))
  for (const pack of packs) {
    for (let position = 0; position < entryCount(pack); position++) {
      const { key, ...range } = entryAt(pack, position)
      if (keys.has(key)) places.set(key, [...(places.get(key) ?? []), { pack, ...range }])
    }
  }
  return places
}

async function readGood(
  { disk }: Parts,
  key: BlockKey,
  places: readonly Place[],
): Promise<Uint8Array | undefined> {
  for (const { pack, offset, length } of places) {
    const packed = await disk.read(packPath(pack.name), { offset, length })
    if (packed && isIntact(key, packed)) return packed
  }
  return undefined
}

/** Writes packs, one after the other, whose blocks are found there from then on. */
class Rewriter {
  readonly #parts: Parts
  #writer: PackWriter | undefined

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async put(key: BlockKey, packed: Uint8Array): Promise<void> {
    const { disk, packs } = this.#parts
    this.#writer ??= new PackWriter({ disk, number: packs.nextNumber() })
    await this.#writer.append([key], [packed])
    if (this.#writer.isFull) await this.seal()
  }

  async seal(): Promise<void> {
    const writer = this.#writer
    this.#writer = undefined
    if (writer) this.#parts.packs.index.add(await writer.seal(this.#parts.now().getTime()), true)
  }

  async discard(): Promise<void> {
    await this.#writer?.discard()
  }
}

/** Deletes packs that had damage. One that cannot be read stays until nothing at all is lost. */
async function dropPacks(
  { disk, packs }: Parts,
  damage: Damage,
  lost: readonly Lost[],
): Promise<readonly string[]> {
  const keys = new Set(lost.map(({ digest }) => keyOf(digest)))
  const dropped: string[] = []
  for (const pack of packs.index.packs()) {
    const file = packPath(pack.name)
    const hasLost = () =>
      [...Array(entryCount(pack)).keys()].some((at) => keys.has(entryAt(pack, at).key))
    if (!damage.packs.has(file) || hasLost()) continue
    packs.index.drop(pack)
    dropped.push(file)
  }
  if (lost.length === 0) dropped.push(...packs.broken.splice(0).map(({ name }) => packPath(name)))
  for (const file of dropped) await disk.remove(file)
  return dropped
}
