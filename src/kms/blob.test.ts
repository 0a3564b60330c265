import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkContext, decryptBlob, encryptBlob, readHead } from './blob.ts'
import { formatKeyId } from './key.ts'

const anyBytes = (maxLength: number) => fc.uint8Array({ minLength: 1, maxLength })
const anyContext = fc.dictionary(fc.string(), fc.string(), { maxKeys: 5 })
const anyMaterial = fc.record({
  version: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }),
})
const keyId = formatKeyId(randomBytes(16))
const invalid = { code: 'InvalidCiphertextException' }

test('a blob says its key, and gives its text back to the same words in any order', () => {
  fc.assert(
    fc.property(anyMaterial, anyBytes(4096), anyContext, (material, text, context) => {
      const blob = encryptBlob(keyId, material, text, context, randomBytes)
      assert.deepEqual(readHead(blob), { keyId, materialVersion: material.version })
      const reversed = Object.fromEntries(Object.entries(context).reverse())
      const opened = decryptBlob(blob, material, reversed)
      assert.deepEqual(Buffer.from(opened), Buffer.from(text))
    }),
  )
})

test('a blob does not open with other words, other material, or in parts', () => {
  const material = { version: 1, bytes: randomBytes(32) }
  fc.assert(
    fc.property(anyBytes(64), anyContext, anyContext, (text, context, other) => {
      const blob = encryptBlob(keyId, material, text, context, randomBytes)
      const newer = { version: 1, bytes: randomBytes(32) }
      assert.throws(() => decryptBlob(blob, newer, context), invalid)
      const isSame = (name: string) => Object.hasOwn(other, name) && other[name] === context[name]
      const names = Object.keys(context)
      if (names.length === Object.keys(other).length && names.every(isSame)) return
      assert.throws(() => decryptBlob(blob, material, other), invalid)
    }),
  )
  // Words that run together are not the same words.
  const blob = encryptBlob(keyId, material, Buffer.from('x'), { ab: 'c' }, randomBytes)
  assert.throws(() => decryptBlob(blob, material, { a: 'bc' }), invalid)
})

test('a blob with any bit changed, cut off or added is not valid, and so is anything else', () => {
  const material = { version: 1, bytes: randomBytes(32) }
  const open = (bytes: Uint8Array) => {
    readHead(bytes)
    return decryptBlob(bytes, material, {})
  }
  const blob = encryptBlob(keyId, material, Buffer.from('a secret'), {}, randomBytes)
  for (let bit = 0; bit < blob.length * 8; bit++) {
    const changed = Uint8Array.from(blob)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(() => open(changed), invalid)
    // Without the check in front of it, it is the cipher that refuses.
    if (bit >> 3 < blob.length - 8) assert.throws(() => decryptBlob(changed, material, {}), invalid)
  }
  for (let length = 0; length < blob.length; length++)
    assert.throws(() => open(blob.subarray(0, length)), invalid)
  assert.throws(() => open(Buffer.concat([blob, Buffer.alloc(1)])), invalid)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 7000 }), (bytes) => {
      assert.throws(() => open(bytes), invalid)
      assert.throws(() => decryptBlob(bytes, material, {}), invalid)
    }),
  )
})

test('words that are too long, or no text, are refused before anything is encrypted', () => {
  const refused = { code: 'ValidationException' }
  assert.throws(() => checkContext({ a: 'x'.repeat(8192) }), refused)
  // All halves of pairs would be the same three bytes.
  assert.throws(() => checkContext({ a: '\ud800' }), refused)
  assert.throws(() => checkContext({ '\udc00': 'a' }), refused)
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' })),
      (context) => {
        assert.deepEqual(checkContext(context), context)
      },
    ),
  )
  assert.deepEqual(checkContext(undefined), {})
})
