import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { blockSizeBytes, packBlock } from './block.ts'
import { frameLength, isOneFrame } from './frame.ts'

/** Zeros, but for a run of bytes that follow no rule. */
const anyBlock = fc
  .record({ seed: fc.nat(), start: fc.nat(blockSizeBytes), length: fc.nat(blockSizeBytes) })
  .map(({ seed, start, length }) => {
    const block = Buffer.alloc(blockSizeBytes)
    const end = Math.min(start + length, blockSizeBytes)
    let state = seed | 1
    for (let at = start; at < end; at++) {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5
      block[at] = state >>> 24
    }
    return block
  })

test('a frame says how long it is, and one frame is told from anything else', () => {
  const property = fc.property(anyBlock, fc.integer({ min: 1, max: 9 }), (block, level) => {
    for (const params of [
      { [constants.ZSTD_c_compressionLevel]: level },
      { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_checksumFlag]: 1 },
      { [constants.ZSTD_c_compressionLevel]: level, [constants.ZSTD_c_contentSizeFlag]: 0 },
    ]) {
      const frame = zstdCompressSync(block, { params })
      const twice = Buffer.concat([frame, frame])
      assert.equal(frameLength(twice, 0), frame.length)
      assert.equal(frameLength(twice, frame.length), frame.length)
      assert.equal(isOneFrame(twice), false)
      assert.equal(isOneFrame(frame.subarray(0, -1)), false)
      assert.equal(isOneFrame(Buffer.concat([frame, Buffer.from('x')])), false)
    }
    const own = packBlock(block)
    assert(isOneFrame(own))
    const shifted = Buffer.concat([Buffer.from('abc'), own]).subarray(3)
    assert(isOneFrame(shifted))
  })
  fc.assert(property, { numRuns: 20 })
})

test('a frame that wants more memory than a block, or a dictionary, is none of ours', () => {
  const head = (descriptor: number, ...rest: readonly number[]) =>
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, descriptor, ...rest])
  const nothing = [1, 0, 0] // The last block, raw, of no bytes.
  assert(isOneFrame(head(0, 9 << 3, ...nothing)))
  assert.equal(isOneFrame(head(0, (9 << 3) | 1, ...nothing)), false)
  assert.equal(isOneFrame(head(0, 17 << 3, ...nothing)), false)
  assert(isOneFrame(head(0x20, 0, ...nothing)))
  assert.equal(isOneFrame(head(0x21, 7, 0, ...nothing)), false)
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  assert.equal(isOneFrame(skippable), false)
  assert.equal(isOneFrame(Buffer.concat([skippable, head(0x20, 0, ...nothing)])), false)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const frame = Buffer.concat([head(0), bytes])
      if (isOneFrame(frame)) assert.equal(frameLength(frame, 0), frame.length)
    }),
  )
})
