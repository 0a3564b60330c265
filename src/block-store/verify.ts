/**
 * Looks at every byte of the store, and tells what is wrong with it. Changes nothing. What
 * is encrypted shows its damage without a key; with it, what is in it is looked at too.
 */
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, digestOfKey } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import { entryAt, entryCount } from './block-index.ts'
import { folders } from './disk.ts'
import { CorruptManifest, MissingManifest } from './errors.ts'
import { keysOf, type NamedBlocks } from './manifests.ts'
import { findDamaged, hasMagic, packPath } from './pack-reader.ts'
import type { Parts } from './parts.ts'

export type Finding =
  | { readonly kind: 'unreadable pack'; readonly file: string; readonly reason: string }
  | {
      readonly kind: 'damaged block'
      readonly digest: Digest
      readonly file: string
      readonly offset: number
    }
  | { readonly kind: 'damaged manifest'; readonly manifest: Digest; readonly reason: string }
  | { readonly kind: 'missing manifest'; readonly manifest: Digest }
  | {
      readonly kind: 'missing block'
      readonly digest: Digest
      readonly manifest: Digest
      /** The place of the block on the disk, where that is known. */
      readonly index: number | undefined
    }
  /** What a program left that was killed: harmless, and gone after the next start. */
  | { readonly kind: 'left over'; readonly file: string }

export interface VerifyOptions {
  /** Manifests that must be there because the database names them. */
  readonly live?: Iterable<Digest> | undefined
  /** What manifests, and the blocks in them, are to be opened with. */
  readonly ciphers?: ReadonlyMap<Digest, BlockCipher> | undefined
  readonly onProgress?: ((doneBytes: number, totalBytes: number) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

export async function* verify(parts: Parts, options: VerifyOptions): AsyncGenerator<Finding> {
  yield* verifyPacks(parts, options)
  yield* verifyManifests(parts, new Set(options.live), options.ciphers)
  for (const folder of folders) {
    for (const { name } of await parts.disk.list(folder)) {
      const isKnown = folder === 'packs' ? /^\d+\.pack$/ : /^[0-9a-f]{64}$/
      if (!isKnown.test(name)) yield { kind: 'left over', file: `${folder}/${name}` }
    }
  }
}

async function* verifyPacks(parts: Parts, options: VerifyOptions): AsyncGenerator<Finding> {
  for (const { name, reason } of parts.packs.broken) {
    yield { kind: 'unreadable pack', file: packPath(name), reason }
  }
  const packs = parts.packs.index.packs()
  const ciphers = await ciphersOfBlocks(parts, options.ciphers)
  const totalBytes = packs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let doneBytes = 0
  for (const pack of packs) {
    options.signal?.throwIfAborted()
    const file = packPath(pack.name)
    const isKept = () => parts.packs.index.packs().includes(pack)
    if (!(await hasMagic(parts.disk, file)) && isKept()) {
      yield { kind: 'unreadable pack', file, reason: 'it is gone, or begins with other bytes' }
    }
    // Where a block is read from another pack, nobody misses this one.
    const isHere = (key: BlockKey) => parts.packs.index.find(key)?.pack === pack
    const entries = [...Array(entryCount(pack)).keys()]
      .map((at) => entryAt(pack, at))
      .filter(({ key }) => isHere(key))
      .map((entry) => ({ ...entry, cipher: ciphers.get(entry.key) }))
    for (const { key, offset } of await findDamaged(parts, file, entries)) {
      // Garbage collection may have deleted it while we looked.
      if (isKept()) yield { kind: 'damaged block', digest: digestOfKey(key), file, offset }
    }
    doneBytes += pack.sizeBytes
    options.onProgress?.(doneBytes, totalBytes)
  }
}

/** What each block of manifests whose cipher is known is under. */
async function ciphersOfBlocks(
  { manifests }: Parts,
  ciphers: ReadonlyMap<Digest, BlockCipher> = new Map(),
): Promise<ReadonlyMap<BlockKey, BlockCipher>> {
  const found = new Map<BlockKey, BlockCipher>()
  for (const [manifest, cipher] of ciphers) {
    // What is wrong with it is told by those who look at manifests.
    const names = await manifests.readNames(manifest).catch(() => undefined)
    for (const key of names?.keys ?? []) found.set(key, cipher)
  }
  return found
}

async function* verifyManifests(
  { manifests, packs }: Parts,
  live: ReadonlySet<Digest>,
  ciphers: ReadonlyMap<Digest, BlockCipher> | undefined,
): AsyncGenerator<Finding> {
  for (const manifest of live) {
    if (!manifests.files().has(manifest)) yield { kind: 'missing manifest', manifest }
  }
  for (const manifest of manifests.files().keys()) {
    let content: NamedBlocks
    try {
      content = await manifests.readNames(manifest)
      const cipher = ciphers?.get(manifest)
      if (cipher) {
        const plain = await manifests.read(manifest, cipher)
        content = { keys: keysOf(plain), plain }
      }
    } catch (error) {
      if (error instanceof MissingManifest && !manifests.files().has(manifest)) continue
      if (!(error instanceof CorruptManifest || error instanceof MissingManifest)) throw error
      yield { kind: 'damaged manifest', manifest, reason: error.message }
      continue
    }
    let position = -1
    for (const key of content.keys) {
      position++
      if (packs.index.has(key)) continue
      const index = content.plain?.indexes[position]
      yield { kind: 'missing block', digest: digestOfKey(key), manifest, index }
    }
  }
}
