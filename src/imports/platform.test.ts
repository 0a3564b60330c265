import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findBootMode } from './boot-mode.ts'
import type { ReadableDisk } from './partition-table.ts'
import { findPlatform } from './platform.ts'

const basicData = 'a2a0d0ebe5b9334487c068b6b72699c7'
const efi = '28732ac11ff8d211ba4b00a0c93ec93b'
const linux = 'af3dc60f838472478e793d69d8477de4'
const diskBytes = 1 << 20

const diskOf = (bytes: Buffer): ReadableDisk => ({
  async read(buffer, offset, length, position) {
    bytes.copy(buffer, offset, Math.min(position, bytes.length), position + length)
  },
})

function ntfsAt(bytes: Buffer, sector: number): void {
  bytes.write('NTFS    ', sector * 512 + 3, 'latin1')
}

/** A boot record whose partitions begin at sectors 100, 200 and so on. */
function mbrDisk(...types: readonly number[]): Buffer {
  const bytes = Buffer.alloc(diskBytes)
  bytes.writeUInt16LE(0xaa55, 510)
  for (const [index, type] of types.entries()) {
    bytes[446 + 16 * index + 4] = type
    bytes.writeUInt32LE(100 * (index + 1), 446 + 16 * index + 8)
  }
  return bytes
}

function gptDisk(...types: readonly string[]): Buffer {
  const bytes = mbrDisk(0xee)
  bytes.write('EFI PART', 512, 'latin1')
  bytes.writeBigUInt64LE(2n, 512 + 72)
  bytes.writeUInt32LE(128, 512 + 80)
  bytes.writeUInt32LE(128, 512 + 84)
  for (const [index, type] of types.entries()) {
    bytes.write(type, 1024 + 128 * index, 'hex')
    bytes.writeBigUInt64LE(BigInt(100 * (index + 1)), 1024 + 128 * index + 32)
  }
  return bytes
}

test('a disk with a file system of Windows is one of Windows', async () => {
  const old = mbrDisk(0x07)
  ntfsAt(old, 100)
  assert.equal(await findPlatform(diskOf(old)), 'windows')
  assert.equal(await findBootMode(diskOf(old)), 'legacy-bios')
  const now = gptDisk(efi, basicData)
  ntfsAt(now, 200)
  assert.equal(await findPlatform(diskOf(now)), 'windows')
  assert.equal(await findBootMode(diskOf(now)), 'uefi')
})

test('a disk of Linux is none of Windows, whatever lies beside it', async () => {
  for (const bytes of [gptDisk(efi, basicData, linux), mbrDisk(0x07, 0x07, 0x83)]) {
    ntfsAt(bytes, 200)
    assert.equal(await findPlatform(diskOf(bytes)), undefined)
  }
  assert.equal(await findPlatform(diskOf(gptDisk(efi, linux))), undefined)
  assert.equal(await findPlatform(diskOf(Buffer.alloc(diskBytes))), undefined)
})

test('no disk is so broken that nothing is said of it', async () => {
  const begun = fc.constantFrom(mbrDisk(0x07), gptDisk(basicData))
  const noise = fc.uint8Array({ minLength: 0, maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(begun, fc.nat(1500), noise, async (bytes, at, written) => {
      const broken = Buffer.from(bytes)
      broken.set(written, at)
      assert(['windows', undefined].includes(await findPlatform(diskOf(broken))))
      assert.match(await findBootMode(diskOf(broken)), /^(legacy-bios|uefi|uefi-preferred)$/)
    }),
  )
})
