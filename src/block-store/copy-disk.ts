/**
 * Stores a disk of the store again, under another cipher: each block is opened, named
 * anew and sealed anew. Invariant: the manifest is written when each of its blocks is
 * in a sealed pack.
 */
import type { Digest } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { Claim } from './claims.ts'
import { inLanes } from './lanes.ts'
import { keyAt, manifestOf } from './manifest.ts'
import { encodedManifest } from './manifests.ts'
import { packPath } from './pack-reader.ts'
import type { Parts } from './parts.ts'
import type { SavedDisk, UploadParts, WorkOptions } from './save-disk.ts'

export interface CopiedDisk {
  readonly manifest: Digest
  /** What it is under now. */
  readonly cipher: BlockCipher | undefined
}

export async function copyDisk(
  upload: UploadParts,
  from: CopiedDisk,
  { onProgress, signal }: WorkOptions = {},
): Promise<SavedDisk> {
  const { parts, pins, writer, cipher } = upload
  const before = await parts.manifests.read(from.manifest, from.cipher)
  const blocks = new Map<number, BlockKey>()
  const claims = new Set<Claim>()
  const counts = { blocksAdded: 0, bytesAdded: 0 }
  const total = before.indexes.length
  await inLanes(parts.pool.lanes, before.indexes.entries(), async ([position, index]) => {
    signal?.throwIfAborted()
    const { packed, key } = await reseal(parts, keyAt(before, position), from.cipher, cipher)
    const { claim, others } = writer.decide([key])
    for (const other of others.values()) claims.add(other)
    if (claim) {
      claims.add(claim)
      await writer.write(claim, [packed])
      counts.blocksAdded++
      counts.bytesAdded += packed.length
    }
    blocks.set(index, key)
    onProgress?.(blocks.size * blockSizeBytes, total * blockSizeBytes)
  })
  await writer.seal()
  // Where another upload gave up a block, this one fails too, and is done again.
  await Promise.all([...claims].map(({ sealed }) => sealed))
  signal?.throwIfAborted()
  const encoded = encodedManifest(manifestOf(before.sizeBytes, blocks), cipher)
  pins.add(encoded.digest)
  await parts.manifests.write(encoded, parts.now().getTime())
  const { sizeBytes } = before
  const read = { blocks: total, blocksRead: total, blocksChanged: total }
  return { manifest: encoded.digest, sizeBytes, ...read, ...counts }
}

/** A block under another cipher, or plain, with the name that it has there. */
export async function reseal(
  { packs, disk, pool }: Parts,
  key: BlockKey,
  cipher: BlockCipher | undefined,
  to: BlockCipher | undefined,
) {
  return await packs.follow(key, async ({ pack, offset, length }) => {
    const read = await disk.read(packPath(pack.name), { offset, length })
    if (read?.length !== length) return undefined
    const { packed, key: name } = await pool.run('reseal', { packed: read, key, cipher, to })
    return packed && { packed, key: name }
  })
}
