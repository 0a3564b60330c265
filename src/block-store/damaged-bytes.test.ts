/** Manifests and packs that were damaged anywhere: what is read is right, or an assertion says what is wrong. */
import assert, { AssertionError } from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keyOf } from './block.ts'
import { decodeManifest, encodeManifest, manifestOf } from './manifest.ts'
import {
  checkIndex,
  encodeFooter,
  encodeIndex,
  footerSizeBytes,
  indexRange,
} from './pack-format.ts'
import { digestNumber } from './testing.ts'

const keys = [1, 2, 3].map((number) => keyOf(digestNumber(number)))
const manifest = encodeManifest(manifestOf(2 ** 30, new Map(keys.map((key, at) => [at * 7, key]))))

const edit = fc.record({
  at: fc.oneof(fc.nat(31), fc.nat(1000)),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(new Uint8Array(8), new Uint8Array(8).fill(255)),
  ),
})
const edits = fc.array(edit, { maxLength: 4 })
const cut = fc.option(fc.nat(300), { nil: undefined })

function damage(sample: Buffer, changes: readonly { at: number; bytes: Uint8Array }[]): Buffer {
  const bytes = Buffer.from(sample)
  for (const change of changes) {
    const at = change.at % bytes.length
    bytes.set(change.bytes.subarray(0, bytes.length - at), at)
  }
  return bytes
}

function orRefused<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    assert(error instanceof AssertionError, String(error))
    return undefined
  }
}

test('a damaged manifest is refused, or is the manifest of its bytes', () => {
  fc.assert(
    fc.property(edits, cut, (changes, length) => {
      const bytes = damage(manifest, changes).subarray(0, length)
      const read = orRefused(() => decodeManifest(bytes))
      // Two texts of one manifest would have two names.
      if (read) assert(encodeManifest(read).equals(bytes))
    }),
    { numRuns: 3000 },
  )
})

test('a damaged index of a pack is never taken for the one that was written', () => {
  const index = encodeIndex(keys.map((key, at) => ({ key, offset: 8 + at * 10, length: 10 })))
  const whole = Buffer.concat([Buffer.alloc(38), index, encodeFooter(index)])
  fc.assert(
    fc.property(edits, cut, (changes, length) => {
      const bytes = damage(whole, changes).subarray(0, length)
      const footer = bytes.subarray(-footerSizeBytes)
      const found = orRefused(() => {
        const range = indexRange(footer, bytes.length)
        const read = bytes.subarray(range.offset, range.offset + range.length)
        checkIndex(read, footer)
        return read
      })
      if (found) assert(found.length === 0 || found.equals(index))
    }),
    { numRuns: 3000 },
  )
})
