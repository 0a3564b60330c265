/** Against qemu-img, which is asked what it thinks of the images. */
import assert from 'node:assert/strict'
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createOverlay, readQcow2Header } from './qcow2.ts'
import { qemuImg } from './qemu-img.ts'
import { MiB, scratch } from './test-rig.ts'

test('images of every size are sound', async (context) => {
  const folder = await scratch(context)
  for (const sizeBytes of [512, 64 * 1024, 512 * MiB, 512 * MiB + 512, 16 * 1024 ** 4, 2 ** 46]) {
    const path = join(folder, `${sizeBytes}.qcow2`)

    await createOverlay({ path, sizeBytes })

    const check = JSON.parse(await qemuImg(['check', '--output=json', path]))
    const info = JSON.parse(await qemuImg(['info', '--output=json', path]))
    assert.equal(check['check-errors'], 0)
    assert.equal(check['leaks'], undefined)
    assert.equal(info['virtual-size'], sizeBytes)
    assert.equal(info['format'], 'qcow2')
    assert.equal((await readQcow2Header(path))?.sizeBytes, sizeBytes)
  }
})

test('an overlay finds its backing file after both were moved', async (context) => {
  const folder = await scratch(context)
  await mkdir(join(folder, 'old/bases'), { recursive: true })
  await mkdir(join(folder, 'old/volumes/one:two'), { recursive: true })
  const base = join(folder, 'old/bases/base.raw')
  await writeFile(base, Buffer.alloc(MiB, 7))
  const first = join(folder, 'old/volumes/one:two/1.qcow2')
  const second = join(folder, 'old/volumes/one:two/2.qcow2')
  await createOverlay({ path: first, sizeBytes: 2 * MiB, backing: { path: base, format: 'raw' } })
  await createOverlay({
    path: second,
    sizeBytes: 2 * MiB,
    backing: { path: first, format: 'qcow2' },
  })

  await rename(join(folder, 'old'), join(folder, 'new'))

  const moved = join(folder, 'new/volumes/one:two/2.qcow2')
  const chain = JSON.parse(await qemuImg(['info', '--backing-chain', '--output=json', moved]))
  assert.deepEqual(
    chain.map((image: { format: string }) => image.format),
    ['qcow2', 'qcow2', 'raw'],
  )
  const raw = join(folder, 'raw')
  await qemuImg(['convert', '-f', 'qcow2', '-O', 'raw', moved, raw])
  const expected = join(folder, 'expected')
  await writeFile(expected, Buffer.concat([Buffer.alloc(MiB, 7), Buffer.alloc(MiB)]))
  await qemuImg(['compare', '-f', 'raw', '-F', 'raw', raw, expected])
})

test('what is no qcow2 image has no header', async (context) => {
  const path = join(await scratch(context), 'file')
  await writeFile(path, Buffer.alloc(MiB))
  assert.equal(await readQcow2Header(path), undefined)
})
