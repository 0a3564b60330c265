/**
 * Where else on this host the content of the block store may be: in the bases and the
 * layers that its disks were written to or saved from, and in the stored images of all
 * buckets. What is read here is only a guess: who asks looks at its digest.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { blockSizeBytes, digestOfKey, type BlockKey } from '../block-store/block.ts'
import { batchesOf, blockRuns, type DiskSource, indexesOf } from '../block-store/disk-source.ts'
import { encodeManifest, manifestOf } from '../block-store/manifest.ts'
import type { Copies } from '../block-store/repair.ts'
import { tasks } from '../block-store/tasks.ts'
import type { Buckets } from '../buckets/buckets.ts'
import type { Database } from '../db/database.ts'
import type { Digest } from '../lib/digest.ts'
import { mapVolume } from '../qemu/map-volume.ts'
import { BadObject } from '../stored-images/reading.ts'
import { findInObject, readHead } from '../stored-images/stored-object.ts'
import { listAllVolumes } from '../volumes/store.ts'

interface Places {
  readonly db: Database
  readonly dataFolder: string
  readonly buckets: Buckets
}

export function copiesOnHost(places: Places): Copies {
  return {
    async *findBlocks(wanted) {
      const indexes = new Map<Digest, Map<number, Digest>>()
      for (const [digest, uses] of wanted) {
        for (const { manifest, index } of uses) {
          if (index === undefined) continue // Only its key could tell.
          const of = indexes.get(manifest) ?? new Map<number, Digest>()
          indexes.set(manifest, of.set(index, digest))
        }
      }
      for (const [manifest, of] of indexes) {
        for await (const source of disksLike(places, manifest)) {
          const missed = [...of].filter(([, digest]) => wanted.has(digest)).map(([index]) => index)
          for (const [, block] of readBlocks(source, missed)) yield block
        }
      }
      const isWanted = (key: BlockKey) => wanted.has(digestOfKey(key))
      if (wanted.size === 0) return
      for await (const found of findInBuckets(places, isWanted))
        if ('block' in found) yield found.block
    },

    async *findManifest(digest) {
      for await (const found of findInBuckets(places)) if ('manifest' in found) yield found.manifest
      for await (const source of disksLike(places, digest)) {
        const runs = blockRuns(source.extents, source.sizeBytes)
        const keys = new Map<number, BlockKey>()
        for (const [index, , key] of readBlocks(source, indexesOf(runs))) {
          if (key !== '') keys.set(index, key)
        }
        yield encodeManifest(manifestOf(source.sizeBytes, keys))
      }
    },
  }
}

/** Files that should hold the disk of a manifest. */
async function* disksLike(
  { db, dataFolder }: Places,
  manifest: Digest,
): AsyncGenerator<DiskSource> {
  const file = join(dataFolder, 'bases', `${manifest.slice('sha256:'.length)}.raw`)
  const sizeBytes = (await stat(file).catch(() => undefined))?.size
  if (sizeBytes !== undefined) {
    yield { sizeBytes, extents: [{ start: 0, length: sizeBytes, file, fileOffset: 0 }] }
  }
  for (const { id, knownManifest, knownLayer } of await listAllVolumes(db)) {
    if (knownManifest !== manifest) continue
    const folder = join(dataFolder, 'volumes', id)
    const map = await mapVolume(folder, { upTo: knownLayer }).catch(() => undefined)
    if (map) yield map
  }
}

/** The blocks as they are in the files, as far as these can be read. */
function* readBlocks(
  source: DiskSource,
  indexes: Iterable<number>,
): Generator<readonly [index: number, block: Uint8Array, key: BlockKey]> {
  try {
    for (const batch of batchesOf(source, indexes)) {
      const plain = new Uint8Array(batch.indexes.length * blockSizeBytes)
      const { keys } = tasks.read({ plain, pieces: batch.pieces })
      for (const [position, index] of batch.indexes.entries()) {
        const start = position * blockSizeBytes
        yield [index, plain.subarray(start, start + blockSizeBytes), keys[position] ?? '']
      }
    }
  } catch {
    // A file that cannot be read, or is too short, is no copy.
  }
}

async function* findInBuckets({ buckets }: Places, isWanted?: (key: BlockKey) => boolean) {
  for await (const place of buckets.listAll()) {
    try {
      await using object = await buckets.open(place)
      if (object) yield* findInObject(object, await readHead(object), isWanted)
    } catch (error) {
      if (!(error instanceof BadObject)) throw error
    }
  }
}
