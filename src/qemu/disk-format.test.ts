/** Disk images from outside, damaged anywhere: each is told apart or refused, and nothing else happens. */
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { ImageRefused, recogniseDisk } from './disk-format.ts'
import { createOverlay } from './qcow2.ts'

const descriptor = '# Disk DescriptorFile\nparentCID=ffffffff\ncreateType="monolithicSparse"\n'

function vmdk(): Buffer {
  const bytes = Buffer.alloc(2048)
  bytes.write('KDMV')
  bytes.writeUInt32LE(1, 4)
  bytes.writeBigUInt64LE(2048n, 12)
  bytes.writeBigUInt64LE(1n, 28)
  bytes.writeBigUInt64LE(2n, 36)
  bytes.write(descriptor, 512)
  return bytes
}

function vhd(): Buffer {
  const bytes = Buffer.alloc(1536)
  bytes.write('conectix', 1024)
  bytes.writeUInt32BE(2, 1024 + 60)
  return bytes
}

const edit = fc.record({
  at: fc.oneof(fc.nat(128), fc.nat(2047)),
  bytes: fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    fc.constantFrom(0x00, 0xff).map((byte) => new Uint8Array(8).fill(byte)),
  ),
})

test('a damaged disk image is of a format or refused', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'disk-format-'))
  context.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'disk')
  await createOverlay({ path, sizeBytes: 2 ** 20 })
  const samples = {
    qcow2: (await readFile(path)).subarray(0, 4096),
    vmdk: vmdk(),
    vpc: vhd(),
    vhdx: Buffer.from('vhdxfile'.padEnd(1024, '\0')),
  }
  for (const [format, bytes] of Object.entries(samples)) {
    await writeFile(path, bytes)
    assert.equal(await recogniseDisk(path), format)
  }
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...Object.values(samples)),
      fc.array(edit, { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(2048), { nil: undefined }),
      async (sample, edits, length) => {
        const bytes = Buffer.from(sample)
        for (const { at, bytes: changed } of edits)
          bytes.set(changed.subarray(0, bytes.length - (at % bytes.length)), at % bytes.length)
        await writeFile(path, bytes.subarray(0, length))
        const found = await recogniseDisk(path).catch((error: unknown) => {
          assert(error instanceof ImageRefused, String(error))
        })
        assert(found === undefined || ['raw', 'qcow2', 'vmdk', 'vpc', 'vhdx'].includes(found))
      },
    ),
    { numRuns: 1000 },
  )
})
