/** A manifest has one encoding, and only that is read. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { digestOf } from '../lib/digest.ts'
import { blockSizeBytes, digestOfKey, keyOf } from './block.ts'
import { blockAt, blocksOf, decodeManifest, encodeManifest, manifestOf } from './manifest.ts'

const digest = digestOf(Buffer.from('a block'))

test('a manifest says what was put in, in the order of the disk', () => {
  const anyIndexes = fc.uniqueArray(fc.nat(2 ** 31), { maxLength: 40 })
  fc.assert(
    fc.property(anyIndexes, (indexes) => {
      const blocks = new Map(indexes.map((index) => [index, keyOf(digestOf(Buffer.from([index])))]))
      const sizeBytes = 2 ** 32 * blockSizeBytes
      const encoded = encodeManifest(manifestOf(sizeBytes, blocks))
      const manifest = decodeManifest(encoded)
      assert.equal(manifest.sizeBytes, sizeBytes)
      const sorted = [...blocks].toSorted(([a], [b]) => a - b)
      const expected = sorted.map(([index, key]) => [index, digestOfKey(key)])
      assert.deepEqual([...blocksOf(manifest)], expected)
      for (const [index, key] of blocks) assert.equal(blockAt(manifest, index), digestOfKey(key))
      assert.equal(blockAt(manifest, 2 ** 31 + 1), undefined)
      assert.deepEqual(encodeManifest(manifest), encoded)
    }),
  )
})

test('a block outside of the disk is refused', () => {
  const manifest = manifestOf(blockSizeBytes + 1, new Map([[2, keyOf(digest)]]))
  assert.throws(() => encodeManifest(manifest), /out of place/)
})

test('bytes that are cut off or of another format are refused', () => {
  const bytes = encodeManifest(manifestOf(blockSizeBytes, new Map([[0, keyOf(digest)]])))
  assert.throws(() => decodeManifest(bytes.subarray(0, -1)), /length/)
  assert.throws(() => decodeManifest(bytes.subarray(0, 9)), /short/)
  assert.throws(() => decodeManifest(Buffer.from(bytes).fill('x', 0, 1)), /format/)
})
