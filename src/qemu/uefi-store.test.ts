import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { crc32c } from './crc32c.ts'
import { decodeUefiData, encodeUefiData } from './uefi-data.ts'
import { readVariables, writeVariables } from './uefi-store.ts'
import { timeAuthenticated, u32, u64, UefiDataError, type UefiVariable } from './uefi-variable.ts'

const blank = await readFile('/usr/share/OVMF/OVMF_VARS_4M.fd')
/** A store with keys for Secure Boot, as a distribution ships it. */
const keyed = await readFile('/usr/share/OVMF/OVMF_VARS_4M.ms.fd')

const bytesOf = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max })
const someBytes = (count: number) =>
  bytesOf(count, count).filter((bytes) => bytes.some((byte) => byte !== 0))

/** Any name that UTF-16 can hold, but for the end of a string. */
const names = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((name) => !name.includes('\0'))

const plain = fc.record({
  name: names,
  vendor: bytesOf(16, 16),
  attributes: fc.constantFrom(1, 3, 7),
  data: bytesOf(1, 300),
})

const authenticated = fc.record(
  {
    name: names,
    vendor: bytesOf(16, 16),
    attributes: fc.constantFrom(0x27, 0x67),
    data: bytesOf(1, 300),
    timestamp: someBytes(16),
    certificateDigest: someBytes(32),
  },
  { requiredKeys: ['name', 'vendor', 'attributes', 'data'] },
)

const variableLists = fc.uniqueArray(fc.oneof(plain, authenticated), {
  maxLength: 12,
  selector: ({ name, vendor }) => `${vendor.join()}/${name}`,
})

const comparable = (variables: readonly UefiVariable[]) =>
  variables.map((variable) =>
    Object.fromEntries(
      Object.entries(variable)
        .map(([key, value]) => [key, value instanceof Uint8Array ? [...value].join() : value])
        .sort(([a], [b]) => String(a).localeCompare(String(b))),
    ),
  )

test('variables come back as they were, from a store and from the form of EC2', () => {
  fc.assert(
    fc.property(variableLists, bytesOf(0, 64), (variables, dictionary) => {
      const given = dictionary.length > 0 ? dictionary : undefined
      const stored = readVariables(writeVariables(blank, variables))
      assert.deepEqual(comparable(stored), comparable(variables))
      const decoded = decodeUefiData(encodeUefiData(stored, given), given)
      assert.deepEqual(comparable(decoded), comparable(variables))
    }),
  )
})

test('the variables of a real store come back from the form of EC2 into the same bytes', () => {
  const variables = readVariables(keyed)
  const byName = new Map(variables.map((variable) => [variable.name, variable]))
  for (const name of ['PK', 'KEK', 'db']) {
    assert.ok(((byName.get(name)?.attributes ?? 0) & timeAuthenticated) !== 0, name)
  }
  const text = encodeUefiData(variables, undefined)
  const again = writeVariables(blank, decodeUefiData(text, undefined))
  assert.equal(again.length, keyed.length)
  assert.deepEqual(comparable(readVariables(again)), comparable(variables))
  assert.deepEqual(Buffer.from(again), Buffer.from(writeVariables(blank, variables)))
})

test('a variable that is being replaced counts until the new one is whole', () => {
  const old = { name: 'A', vendor: Buffer.alloc(16, 1), attributes: 7, data: Buffer.from('old!') }
  const file = Buffer.from(writeVariables(blank, [old, { ...old, data: Buffer.from('new!') }]))
  const first = file.indexOf(Buffer.from([0xaa, 0x55, 0x3f, 0]))
  const second = file.indexOf(Buffer.from([0xaa, 0x55, 0x3f, 0]), first + 1)
  const data = () => readVariables(file).map((one) => Buffer.from(one.data).toString())
  file[first + 2] = 0x3e
  file[second + 2] = 0x7f
  assert.deepEqual(data(), ['old!'])
  file[second + 2] = 0x3f
  assert.deepEqual(data(), ['new!'])
  file[first + 2] = 0x3c
  assert.deepEqual(data(), ['new!'])
})

test('what is not in the form of EC2, or is a bomb, is refused', () => {
  const pack = (packed: Uint8Array) => {
    const body = Buffer.concat([u32(0), packed])
    return Buffer.concat([Buffer.from('AMZNUEFI'), u32(crc32c(body)), body]).toString('base64')
  }
  const refused: readonly (readonly [string, RegExp])[] = [
    ['', /AMZNUEFI/],
    ['%%%%', /Base64/],
    // Not to be read again from each of its characters.
    [`${' '.repeat(10_000_000)}!`, /Base64/],
    [Buffer.from('not at all a store of variables').toString('base64'), /AMZNUEFI/],
    [pack(Buffer.from('no zlib')), /decompressed/],
    [pack(deflateSync(Buffer.alloc(64 * 2 ** 20))), /decompressed/],
    [pack(deflateSync(u64(2 ** 40))), /end in the middle/],
    [pack(deflateSync(Buffer.concat([u64(1), u64(2 ** 50)]))), /end in the middle/],
    [pack(deflateSync(Buffer.alloc(8), { dictionary: Buffer.from('secret') })), /dictionary/],
  ]
  for (const [text, why] of refused) {
    assert.throws(
      () => decodeUefiData(text, undefined),
      (error) => {
        assert.ok(error instanceof UefiDataError)
        assert.match(error.message, why)
        return true
      },
    )
  }
  const good = Buffer.from(encodeUefiData([], undefined), 'base64')
  good[good.length - 1] = (good.at(-1) ?? 0) ^ 1
  assert.throws(() => decodeUefiData(good.toString('base64'), undefined), /checksum/)
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283)
})

test('damaged data is refused, or read as what it says', () => {
  const vendor = Buffer.alloc(16, 7)
  const variables = ['PK', 'db'].map((name) => ({
    name,
    vendor,
    attributes: 0x27,
    data: Buffer.alloc(40, name),
    timestamp: Buffer.alloc(16, 1),
  }))
  const plain = inflateSync(
    Buffer.from(encodeUefiData(variables, undefined), 'base64').subarray(16),
  )
  fc.assert(
    fc.property(
      fc.nat(plain.length - 1),
      fc.oneof(bytesOf(1, 16), fc.constantFrom(Buffer.alloc(8), Buffer.alloc(8, 255))),
      fc.option(fc.nat(plain.length), { nil: undefined }),
      (at, noise, length) => {
        const changed = Buffer.from(plain)
        changed.set(noise.subarray(0, changed.length - at), at)
        const body = Buffer.concat([Buffer.alloc(4), deflateSync(changed.subarray(0, length))])
        const sum = Buffer.alloc(4)
        sum.writeUInt32LE(crc32c(body))
        const text = Buffer.concat([Buffer.from('AMZNUEFI'), sum, body]).toString('base64')
        try {
          const read = decodeUefiData(text, undefined)
          assert.deepEqual(decodeUefiData(encodeUefiData(read, undefined), undefined), read)
        } catch (error) {
          assert.ok(error instanceof UefiDataError, String(error))
        }
      },
    ),
    { numRuns: 2000 },
  )
})

test('a broken store is refused, or read without what is broken', () => {
  fc.assert(
    fc.property(fc.nat(keyed.length - 1), bytesOf(1, 64), (at, noise) => {
      const file = Buffer.from(keyed)
      file.set(noise.subarray(0, file.length - at), at)
      try {
        readVariables(file)
      } catch (error) {
        assert.ok(error instanceof UefiDataError)
      }
    }),
    { numRuns: 50 },
  )
  assert.throws(() => readVariables(Buffer.alloc(100)), UefiDataError)
  const big = { name: 'A', vendor: Buffer.alloc(16), attributes: 7, data: Buffer.alloc(2 ** 19) }
  assert.throws(() => writeVariables(blank, [big]), /do not fit/)
})
