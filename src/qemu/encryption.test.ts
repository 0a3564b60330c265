/** Encrypted volumes: that they are volumes like others, and that nothing of them is to be read. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { encryptSectors } from '../lib/xts.ts'
import { imageOf } from './image-options.ts'
import { addLayer, chainOf, createVolume, layerPath, resizeVolume, topLayer } from './layers.ts'
import { type DiskKeys, LuksKey } from './luks.ts'
import { machineFiles } from './machine-spec.ts'
import { mapVolume } from './map-volume.ts'
import { mergeLayers } from './merge-layers.ts'
import { qemuImg } from './qemu-img.ts'
import { startMachine } from './start-machine.ts'
import {
  contentOf,
  countIn,
  countingGuest,
  countsOn,
  diskOf,
  found,
  machineOf,
  MiB,
  scratch,
  writeBase,
} from './test-rig.ts'

const KiB = 1024
const run = promisify(execFile)
const keyOf = (number: number) => new LuksKey(Buffer.alloc(32, number))
const keys: DiskKeys = { layers: keyOf(1), base: keyOf(2) }

/** Runs `qemu-io` on the top, as `qemu-img` is run: the shell brings the secrets. */
async function write(folder: string, ...commands: readonly string[]): Promise<string> {
  const { image, secrets } = imageOf(await chainOf(folder, await topLayer(folder)), keys)
  const args = commands.flatMap((command) => ['-c', command])
  const objects = secrets.flatMap(({ id, secret }) => [
    '--object',
    `secret,id=${id},data=${secret.reveal()}`,
  ])
  return (await run('qemu-io', [...objects, '-d', 'unmap', ...args, ...image])).stdout
}

/** An encrypted volume of 8 MiB over an encrypted base that is full of 7 in part. */
async function volume(context: TestContext): Promise<string> {
  const folder = await scratch(context)
  const base = join(folder, 'base.luks')
  const content = Buffer.alloc(5 * MiB + 3 * 512)
  content.fill(7, 0, 2 * MiB).fill(7, 4 * MiB)
  await writeBase(base, keyOf(2), content)
  const path = join(folder, 'volume')
  await createVolume(path, { sizeBytes: 8 * MiB, base, key: keys.layers })
  return path
}

function expected(
  sizeBytes: number,
  fills: readonly (readonly [number, number, number])[],
): Buffer {
  const content = Buffer.alloc(sizeBytes)
  content.fill(7, 0, 2 * MiB).fill(7, 4 * MiB, 5 * MiB + 3 * 512)
  for (const [start, length, byte] of fills) content.fill(byte, start, start + length)
  return content
}

const written = [
  [1 * MiB, 128 * KiB, 1],
  [1 * MiB + 64 * KiB, 64 * KiB, 2],
  [6 * MiB, 256 * KiB, 3],
  [4 * MiB, 64 * KiB, 0],
  [1 * MiB + 100 * KiB, 4 * KiB, 4],
] as const

/** The first three, a freeze, the rest. */
async function writtenVolume(context: TestContext): Promise<string> {
  const folder = await volume(context)
  await write(folder, `write -P 1 1M 128k`, `write -P 2 1088k 64k`, `write -P 3 6M 256k`)
  await addLayer(folder, 2, keys)
  await write(folder, `write -z 4M 64k`, `write -P 4 1124k 4k`)
  return folder
}

await test('an encrypted volume reads as what was written to it, through QEMU and through its map', async (context) => {
  const folder = await writtenVolume(context)
  assert.deepEqual(await contentOf(folder, 1, keys), expected(8 * MiB, written.slice(0, 3)))
  assert.deepEqual(await contentOf(folder, 2, keys), expected(8 * MiB, written))
  const said = await write(folder, 'read -P 7 0 1M', 'read -P 0 5122k 900k', 'read -P 4 1124k 4k')
  assert(!/verification failed/.test(said), said)
  const { changed } = await mapVolume(folder, { upTo: 2, since: 1, keys })
  assert.deepEqual(changed, [
    { start: 1 * MiB + 64 * KiB, length: 64 * KiB },
    { start: 4 * MiB, length: 64 * KiB },
  ])
  for (const layer of [1, 2]) {
    const { image, secrets } = imageOf(await chainOf(folder, layer), keys)
    await qemuImg(['check', '-q', ...image], { secrets })
  }
})

await test('an encrypted base is an image without a flaw, whatever it holds', async (context) => {
  const folder = await scratch(context)
  for (const content of [
    Buffer.alloc(1, 9),
    Buffer.alloc(3 * MiB),
    Buffer.alloc(515 * MiB)
      .fill(9, 511 * MiB, 513 * MiB)
      .fill(8, 514 * MiB),
  ]) {
    const path = join(folder, 'base.luks')
    await writeBase(path, keyOf(2), content)
    const layer = { layer: 0, path }
    const chain = { layers: [layer], basePath: undefined, isEncrypted: true, sizeBytes: 0 }
    const { image, secrets } = imageOf(chain, { layers: keyOf(2) })
    const raw = join(folder, 'raw')
    await qemuImg(['check', '-q', ...image], { secrets })
    await qemuImg(['convert', '-O', 'raw', ...image, raw], { secrets })
    const bytes = await readFile(raw)
    assert(bytes.subarray(0, content.length).equals(content))
    assert(bytes.length - content.length < 512)
  }
})

await test('an encrypted volume keeps its content when it is merged and grown', async (context) => {
  const folder = await writtenVolume(context)
  await addLayer(folder, 3, keys)
  await addLayer(folder, 4, keys)
  await mergeLayers(folder, { upTo: 3, keys })
  assert.deepEqual((await readdir(folder)).toSorted(), ['1.qcow2', '4.qcow2'])
  assert.deepEqual(await contentOf(folder, 4, keys), expected(8 * MiB, written))
  await resizeVolume(folder, 16 * MiB, keys)
  await write(folder, 'write -P 5 15M 64k')
  const now = [...written, [15 * MiB, 64 * KiB, 5] as const]
  assert.deepEqual(await contentOf(folder, 4, keys), expected(16 * MiB, now))
})

await test('nothing of an encrypted volume is to be read in its files', async (context) => {
  const folder = await volume(context)
  const pattern = 'nobody shall read this, '
  const text = join(folder, '..', 'text')
  await writeFile(text, pattern.repeat(8192))
  await write(folder, `write -s ${text} 1M 128k`, 'write -P 0x41 2M 64k')
  const files = [layerPath(folder, 1), join(folder, '..', 'base.luks')]
  for (const file of files) {
    const bytes = await readFile(file)
    for (const plain of [Buffer.from(pattern), Buffer.alloc(16, 0x41), Buffer.alloc(16, 7)]) {
      assert.equal(bytes.indexOf(plain), -1, `${file}: ${plain.toString()}`)
    }
    for (const key of [keys.layers, keyOf(2)]) {
      assert.equal(bytes.indexOf(key.passphrase().reveal()), -1)
      assert.equal(bytes.indexOf(key.masterKey(1)), -1)
    }
  }
  // The same content under another key, or in another file of the same, looks different.
  const ciphertext = (key: LuksKey, file: number) => {
    const bytes = Buffer.alloc(512, 0x41)
    encryptSectors(key.masterKey(file), bytes, 0)
    return bytes.toString('hex')
  }
  const all = [ciphertext(keyOf(1), 1), ciphertext(keyOf(1), 2), ciphertext(keyOf(2), 1)]
  assert.equal(new Set(all).size, 3)
})

await test('a volume does not open with another key, or without one', async (context) => {
  const folder = await writtenVolume(context)
  const others: DiskKeys = { layers: keyOf(8), base: keyOf(2) }
  await assert.rejects(resizeVolume(folder, 16 * MiB, others), /Invalid password/)
  await assert.rejects(resizeVolume(folder, 16 * MiB), /there is no key/)
  await assert.rejects(addLayer(folder, 3), /there is no key/)
  await assert.rejects(mapVolume(folder, { upTo: 2 }), /there is no key/)
})

await test('a guest runs on encrypted disks, which are frozen, merged, plugged and found again', async (context) => {
  const folder = await scratch(context)
  const base = join(folder, 'base.luks')
  await writeBase(base, keyOf(2), countingGuest())
  const disks = [
    { ...diskOf(folder, 'disk-a', 0), keys },
    { ...diskOf(folder, 'disk-b', 1), keys: { layers: keyOf(3) } },
  ] as const
  const [a, b] = disks
  await createVolume(a.folder, { sizeBytes: 32 * MiB, base, key: keyOf(1) })
  await createVolume(b.folder, { sizeBytes: 32 * MiB, key: keyOf(3) })
  await using started = await startMachine(machineOf(folder, disks))
  await countsOn(folder, 20)

  const freeze = async (layer: number) => {
    const points = []
    for (const disk of disks) {
      await addLayer(disk.folder, layer, disk.keys)
      points.push({ diskId: disk.id, folder: disk.folder, layer, keys: disk.keys })
    }
    await started.freeze(points)
  }
  await freeze(2)
  const [first, second] = [await countIn(a.folder, 1, a.keys), await countIn(b.folder, 1, b.keys)]
  assert(first >= 20 && (first === second || first === second + 1), `${first}, ${second}`)
  await countsOn(folder, 20)
  await freeze(3)
  for (const { id, folder: its } of disks) await started.merge({ diskId: id, folder: its, upTo: 2 })
  assert.deepEqual((await readdir(a.folder)).toSorted(), ['1.qcow2', '3.qcow2'])
  assert((await countIn(a.folder, 1, a.keys)) >= first + 20)

  const extra = { ...diskOf(folder, 'disk-c'), keys: { layers: keyOf(4) } }
  await createVolume(extra.folder, { sizeBytes: 32 * MiB, key: keyOf(4) })
  await started.plug(extra, { timeoutMs: 1000 })
  await started.resize('disk-c', 64 * MiB)
  assert.equal((await chainOf(extra.folder, 1)).sizeBytes, 64 * MiB)

  // Whoever finds it again can go on, and a layer that it had not come to is no obstacle.
  await started[Symbol.asyncDispose]()
  await using again = await found(folder)
  await countsOn(folder, 20)
  await addLayer(b.folder, 4, b.keys)
  await again.freeze([{ diskId: b.id, folder: b.folder, layer: 4, keys: b.keys }])
  await countsOn(folder, 20)

  const line = await readFile(`/proc/${again.pid}/cmdline`, 'latin1')
  const environment = await readFile(`/proc/${again.pid}/environ`, 'latin1')
  const log = await readFile(join(folder, 'run', machineFiles.log), 'latin1')
  const open = await readFile(`/proc/${again.pid}/fd/3`, 'latin1')
  for (const key of [1, 2, 3, 4].map(keyOf)) {
    for (const place of [line, environment, log, open]) {
      assert(!place.includes(key.passphrase().reveal()))
    }
  }
  await again.kill()
  assert((await countIn(b.folder, 4, b.keys)) >= first + 60)
})
