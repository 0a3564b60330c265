/** Volumes that no machine has open; `qemu-io` writes to them. */
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import {
  addLayer,
  createVolume,
  layerPath,
  removeVolume,
  resizeVolume,
  topLayer,
} from './layers.ts'
import { mapVolume } from './map-volume.ts'
import { mergeLayers } from './merge-layers.ts'
import { qemuImg } from './qemu-img.ts'
import { contentOf, MiB, scratch } from './test-rig.ts'

const KiB = 1024
const run = promisify(execFile)

async function write(folder: string, ...commands: readonly string[]): Promise<void> {
  const path = layerPath(folder, await topLayer(folder))
  const args = commands.flatMap((command) => ['-c', command])
  await run('qemu-io', ['-f', 'qcow2', '-d', 'unmap', ...args, path])
}

/** A volume over a base full of 7, of 8 MiB. */
async function volume(context: TestContext): Promise<string> {
  const folder = await scratch(context)
  const base = join(folder, 'base.raw')
  await writeFile(base, Buffer.alloc(4 * MiB, 7))
  const path = join(folder, 'volume')
  await createVolume(path, { sizeBytes: 8 * MiB, base })
  return path
}

/** The content of a volume after these fills, in order: [start, length, byte]. */
function expected(
  sizeBytes: number,
  fills: readonly (readonly [number, number, number])[],
): Buffer {
  const content = Buffer.alloc(sizeBytes).fill(7, 0, 4 * MiB)
  for (const [start, length, byte] of fills) content.fill(byte, start, start + length)
  return content
}

const written = [
  [1 * MiB, 128 * KiB, 1],
  [1 * MiB + 64 * KiB, 64 * KiB, 2],
  [2 * MiB, 64 * KiB, 0],
  [6 * MiB, 256 * KiB, 3],
  [3 * MiB, 64 * KiB, 0],
  [1 * MiB + 100 * KiB, 4 * KiB, 4],
] as const

/** Layers 1 to 4, of which each of the first three holds something. */
async function layered(context: TestContext): Promise<string> {
  const folder = await volume(context)
  await write(folder, 'write -P 1 1M 128k')
  await addLayer(folder, 2)
  await write(folder, 'write -P 2 1088k 64k', 'write -z 2M 64k', 'write -P 3 6M 256k')
  await addLayer(folder, 3)
  await write(folder, 'discard 3M 64k', 'write -P 4 1124k 4k')
  await addLayer(folder, 4)
  return folder
}

test('a volume reads as its layers over its base, at each layer', async (context) => {
  const folder = await layered(context)

  assert(expected(8 * MiB, written.slice(0, 1)).equals(await contentOf(folder, 1)))
  assert(expected(8 * MiB, written.slice(0, 4)).equals(await contentOf(folder, 2)))
  assert(expected(8 * MiB, written).equals(await contentOf(folder, 3)))
  assert(expected(8 * MiB, written).equals(await contentOf(folder, 4)))
})

test('what changed since a layer is told, zeroes and discards too', async (context) => {
  const folder = await layered(context)

  const { changed } = await mapVolume(folder, { upTo: 3, since: 1 })

  assert.deepEqual(changed, [
    { start: 1 * MiB + 64 * KiB, length: 64 * KiB },
    { start: 2 * MiB, length: 64 * KiB },
    { start: 3 * MiB, length: 64 * KiB },
    { start: 6 * MiB, length: 256 * KiB },
  ])
  assert.deepEqual((await mapVolume(folder, { upTo: 4, since: 3 })).changed, [])
})

test('merged layers read as before, and one is left of them', async (context) => {
  const folder = await layered(context)
  await write(folder, 'write -P 5 7M 64k')

  await mergeLayers(folder, { upTo: 3 })

  assert.deepEqual((await readdir(folder)).toSorted(), ['1.qcow2', '4.qcow2'])
  const fills = [...written, [7 * MiB, 64 * KiB, 5] as const]
  assert(expected(8 * MiB, fills).equals(await contentOf(folder, 4)))
  assert(expected(8 * MiB, written).equals(await contentOf(folder, 1)))
  assert.deepEqual((await mapVolume(folder, { upTo: 4, since: 3 })).changed, [
    { start: 7 * MiB, length: 64 * KiB },
  ])
  await qemuImg(['check', '-q', layerPath(folder, 1)])
  await mergeLayers(folder, { upTo: 3 })
  await addLayer(folder, 5)
  await mergeLayers(folder, { upTo: 4 })
  assert.deepEqual((await readdir(folder)).toSorted(), ['1.qcow2', '5.qcow2'])
  assert(expected(8 * MiB, fills).equals(await contentOf(folder, 5)))
})

test('the top is never merged', async (context) => {
  const folder = await layered(context)
  await assert.rejects(mergeLayers(folder, { upTo: 4 }), /not frozen/)
})

test('a merge that is killed at any moment loses nothing, and is done again', async (context) => {
  const folder = await layered(context)
  const program = `
    import { mergeLayers } from ${JSON.stringify(import.meta.resolve('./merge-layers.ts'))}
    process.stdout.write('x')
    await mergeLayers(process.argv[1], { upTo: Number(process.argv[2]) })`
  let top = 4
  for (const delayMs of [0, 10, 20, 30, 40, 60, 80, 120]) {
    const child = spawn(
      process.execPath,
      ['--input-type=module', '--eval', program, folder, String(top - 1)],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const closed = once(child, 'close')
    await once(child.stdout, 'data')
    await wait(delayMs)
    child.kill('SIGKILL')
    await closed

    const content = await onceUnlocked(() => contentOf(folder, top))
    assert(expected(8 * MiB, written).equals(content), `${delayMs} ms`)
    top++
    await addLayer(folder, top)
  }
  await mergeLayers(folder, { upTo: top - 1 })
  assert.deepEqual((await readdir(folder)).toSorted(), ['1.qcow2', `${top}.qcow2`])
  assert(expected(8 * MiB, written).equals(await contentOf(folder, top)))
})

/** The `qemu-img` of a killed program is killed too, and holds its locks until it is gone. */
async function onceUnlocked<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === 100 || !(error instanceof Error && error.message.includes('lock'))) throw error
      await wait(100)
    }
  }
}

test('a volume grows, and what is new reads as zeroes', async (context) => {
  const folder = await layered(context)

  await resizeVolume(folder, 12 * MiB)
  await resizeVolume(folder, 12 * MiB)
  await write(folder, 'write -P 6 11M 64k')
  await addLayer(folder, 5)
  await mergeLayers(folder, { upTo: 4 })

  const fills = [...written, [11 * MiB, 64 * KiB, 6] as const]
  assert(expected(12 * MiB, fills).equals(await contentOf(folder, 5)))
})

test('creating, adding and removing can each be done twice', async (context) => {
  const folder = await volume(context)
  await write(folder, 'write -P 1 1M 64k')

  await createVolume(folder, { sizeBytes: 8 * MiB })
  await addLayer(folder, 2)
  await addLayer(folder, 2)
  assert.equal(await topLayer(folder), 2)
  assert.equal((await contentOf(folder, 2)).readUInt8(MiB), 1)

  await removeVolume(folder)
  await removeVolume(folder)
  await assert.rejects(stat(folder), { code: 'ENOENT' })
})
