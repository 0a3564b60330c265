/** Images in every format that we take, and images made to harm. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFile, open, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { convertToRaw, inspectDiskImage } from './images.ts'
import { createOverlay } from './qcow2.ts'
import { qemuImg } from './qemu-img.ts'
import { MiB, scratch } from './test-rig.ts'

const inspectOptions = { sizeBytesMax: 1024 ** 4 }
const convertOptions = { cpuSecondsMax: 60 }

/** A raw disk of 8 MiB with something in it. */
async function disk(folder: string): Promise<string> {
  const path = join(folder, 'disk.raw')
  await writeFile(path, Buffer.alloc(MiB, 'disk'))
  await truncate(path, 8 * MiB)
  return path
}

test('every format is told by its bytes, and made raw again as it was', async (context) => {
  const folder = await scratch(context)
  const raw = await disk(folder)
  const formats = [
    ['qcow2', 'qcow2', '-c'],
    ['vmdk', 'vmdk', '-osubformat=monolithicSparse'],
    ['vmdk', 'vmdk', '-osubformat=streamOptimized'],
    ['vpc', 'vpc', '-osubformat=dynamic,force_size=on'],
    ['vpc', 'vpc', '-osubformat=fixed,force_size=on'],
    ['vhdx', 'vhdx', '-osubformat=dynamic'],
    ['raw', 'raw', '-S0'],
  ] as const
  for (const [index, [format, driver, option]] of formats.entries()) {
    const image = join(folder, `image:${index}`)
    const back = join(folder, `back:${index}`)
    await qemuImg(['convert', '-f', 'raw', '-O', driver, option, raw, `file:${image}`])

    const inspected = await inspectDiskImage(image, inspectOptions)
    const progress: number[] = []
    const onProgress = (percent: number): number => progress.push(percent)
    await convertToRaw({ path: image, format }, back, { ...convertOptions, onProgress })

    assert.deepEqual(inspected, { format, virtualSizeBytes: 8 * MiB })
    await qemuImg(['compare', '-f', 'raw', '-F', 'raw', raw, `file:${back}`])
    assert((await stat(back)).blocks * 512 < 4 * MiB, 'the raw disk is sparse')
    assert.equal(progress.at(-1), 100)
  }
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  )
})

test('an image whose end is missing is refused, whatever QEMU makes of it', async (context) => {
  const folder = await scratch(context)
  const raw = join(folder, 'disk.raw')
  await writeFile(raw, randomBytes(4 * MiB))
  const formats = [
    ['qcow2'],
    ['qcow2', '-c'],
    ['vmdk', '-osubformat=monolithicSparse'],
    ['vmdk', '-osubformat=streamOptimized'],
    ['vpc', '-osubformat=dynamic,force_size=on'],
    ['vhdx', '-osubformat=dynamic'],
  ] as const
  for (const [index, [driver, ...options]] of formats.entries()) {
    const image = join(folder, `image:${index}`)
    const to = `file:${image}`
    await qemuImg(['convert', '-f', 'raw', '-O', driver, ...options, raw, to])
    await inspectDiskImage(image, inspectOptions)
    const { size } = await stat(image)
    await truncate(image, Math.floor(size / 2 / 512) * 512)
    const take = async () => {
      const { format } = await inspectDiskImage(image, inspectOptions)
      await convertToRaw({ path: image, format }, join(folder, 'back'), convertOptions)
    }
    await assert.rejects(take, /image|convert/, `${driver} ${options.join()}`)
  }
})

test('an image that leads to other files is refused', async (context) => {
  const folder = await scratch(context)
  const raw = await disk(folder)
  const refused = async (name: string, message: RegExp): Promise<void> =>
    assert.rejects(inspectDiskImage(join(folder, name), inspectOptions), {
      name: 'ImageRefused',
      message,
    })

  const backing = { path: raw, format: 'raw' } as const
  await createOverlay({ path: join(folder, 'overlay'), sizeBytes: 8 * MiB, backing })
  await refused('overlay', /backing file/)

  const data = `data_file=${join(folder, 'data')}`
  await qemuImg(['create', '-q', '-f', 'qcow2', '-o', data, join(folder, 'outside'), '8M'])
  await refused('outside', /another file/)

  const flat = ['-o', 'subformat=monolithicFlat']
  await qemuImg(['create', '-q', '-f', 'vmdk', ...flat, join(folder, 'flat.vmdk'), '8M'])
  await refused('flat.vmdk', /single file/)

  const parent = join(folder, 'parent.vmdk')
  await qemuImg(['create', '-q', '-f', 'vmdk', parent, '8M'])
  const child = ['-b', parent, '-F', 'vmdk', join(folder, 'child.vmdk')]
  await qemuImg(['create', '-q', '-f', 'vmdk', ...child])
  await refused('child.vmdk', /parent/)

  const hollow = join(folder, 'hollow.vmdk')
  await copyFile(parent, hollow)
  await overwrite(hollow, 12, Buffer.alloc(8))
  await refused('hollow.vmdk', /no size/)
})

test('what is empty, too large, encrypted or damaged is refused', async (context) => {
  const folder = await scratch(context)
  const image = join(folder, 'image')
  const refused = async (message: RegExp): Promise<void> =>
    assert.rejects(inspectDiskImage(image, inspectOptions), { name: 'ImageRefused', message })

  await writeFile(image, '')
  await refused(/empty/)
  await createOverlay({ path: image, sizeBytes: 2 * 1024 ** 4 })
  await refused(/too large/)
  await createOverlay({ path: image, sizeBytes: MiB })
  await overwrite(image, 32, Buffer.of(0, 0, 0, 2))
  await refused(/encrypted/)
  await createOverlay({ path: image, sizeBytes: MiB })
  await overwrite(image, 36, Buffer.alloc(4, 0xff))
  await refused(/damaged/)
  await createOverlay({ path: image, sizeBytes: MiB })
  await overwrite(image, 8, Buffer.alloc(8, 0x7f))
  await refused(/damaged/)
  await writeFile(image, 'vhdxfile')
  await refused(/damaged/)
})

test('a conversion that fails or is called off leaves nothing', async (context) => {
  const folder = await scratch(context)
  const path = join(folder, 'image')
  const to = join(folder, 'raw')
  await writeFile(path, 'no qcow2 image')

  await assert.rejects(convertToRaw({ path, format: 'qcow2' }, to, convertOptions), {
    name: 'QemuImgFailed',
  })
  const signal = AbortSignal.abort()
  await assert.rejects(convertToRaw({ path, format: 'raw' }, to, { ...convertOptions, signal }), {
    name: 'AbortError',
  })

  assert.deepEqual((await readdir(folder)).toSorted(), ['image', 'run'])
})

async function overwrite(path: string, offset: number, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'r+')
  await file.write(bytes, 0, bytes.length, offset)
}

test('what reads an image from outside sees that image alone, and no network', async (context) => {
  const folder = await scratch(context)
  const raw = await disk(folder)
  const views = [{ path: raw, isReadOnly: true }]
  assert.match(await qemuImg(['info', '-f', 'raw', raw], { views }), /file format: raw/)

  await writeFile(join(folder, 'secret'), Buffer.alloc(MiB))
  const other = qemuImg(['info', '-f', 'raw', join(folder, 'secret')], { views })
  await assert.rejects(other, /No such file/)
  const copy = qemuImg(['convert', '-f', 'raw', '-O', 'raw', raw, join(folder, 'new')], { views })
  await assert.rejects(copy, /Could not create|No such file|Read-only/)
  const server = createServer()
  context.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const remote = qemuImg(['info', '-f', 'raw', `nbd://127.0.0.1:${port}`], { views })
  await assert.rejects(remote, /unreachable/)
})
