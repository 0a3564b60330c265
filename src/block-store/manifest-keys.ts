/**
 * The blocks that a manifest names, piece by piece as its file is read: of a large one the whole
 * would take more memory than all else that a collection needs. Invariant: it ends
 * without an error only where the content was what the name says.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { pipeline, Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import type { Digest } from '../lib/digest.ts'
import { keySizeBytes } from './block.ts'
import { keysRange, manifestHeadBytes } from './manifest.ts'

const chunkSize = 256 * 1024

/** Buffers of whole keys, one behind the other. Throws where the manifest is damaged. */
export async function* keysInManifest(
  digest: Digest,
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const unpacked = createZstdDecompress({ chunkSize })
  pipeline(Readable.from(packed), unpacked, () => {}) // Whoever reads is told what went wrong.
  let keys: { readonly start: number; readonly end: number } | undefined
  let length = 0
  let rest = Buffer.alloc(0)
  for await (const read of unpacked) {
    const piece = read as Buffer
    hash.update(piece)
    if (!keys) {
      assert(piece.length >= manifestHeadBytes, 'it is too short')
      keys = keysRange(piece)
    }
    const bytes = Buffer.concat([rest, piece.subarray(Math.max(0, keys.start - length))])
    length += piece.length
    const whole = bytes.length - (bytes.length % keySizeBytes)
    rest = bytes.subarray(whole)
    if (whole > 0) yield bytes.subarray(0, whole)
  }
  assert.equal(length, keys?.end, 'its length is wrong')
  assert.equal(`sha256:${hash.digest('hex')}`, digest, 'its content does not match its name')
}
