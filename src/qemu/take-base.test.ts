/** Disks whose bases are no files yet: a guest boots from them, and goes on when they are. */
import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { NbdServer } from '../nbd/server.ts'
import { basePath } from './base-files.ts'
import { addLayer, createVolume } from './layers.ts'
import { type DiskKeys, LuksKey } from './luks.ts'
import { startMachine } from './start-machine.ts'
import {
  countIn,
  countingGuest,
  countsOn,
  diskOf,
  found,
  machineOf,
  MiB,
  scratch,
  until,
  writeBase,
} from './test-rig.ts'

const keys: DiskKeys = {
  layers: new LuksKey(Buffer.alloc(32, 1)),
  base: new LuksKey(Buffer.alloc(32, 2)),
}
const sizeBytes = 32 * MiB

/** Two disks over one base that counts, and is served under its name. */
async function start(context: TestContext, given?: DiskKeys) {
  const folder = await scratch(context)
  const content = Buffer.concat([countingGuest(), Buffer.alloc(MiB)])
  const manifest = `sha256:${'a'.repeat(64)}` as const
  const base = basePath(folder, { manifest, keyId: given && 'key' })
  const baseSocket = join(folder, 'served', 'bases.sock')
  const reads: number[] = []
  const serve = () =>
    NbdServer.listen({
      path: baseSocket,
      onError: (error) => assert.fail(String(error)),
      open: async (name) => ({
        sizeBytes: content.length,
        async read(offset, length) {
          assert.equal(join(folder, name), base)
          reads.push(offset)
          return [content.subarray(offset, offset + length)]
        },
        [Symbol.dispose]() {},
      }),
    })
  const part = `${base}.part`
  if (given?.base) await writeBase(part, given.base, content)
  else await writeFile(part, content)
  const disks = ['disk-a', 'disk-b'].map((name, index) => ({
    ...diskOf(folder, name, index),
    ...(given && { keys: given }),
    baseSocket,
  }))
  for (const disk of disks) {
    await createVolume(disk.folder, { sizeBytes, base, ...(given && { key: given.layers }) })
  }
  const [a, b] = disks
  assert(a && b)
  return { folder, reads, serve, a, b, finish: () => rename(part, base) }
}

for (const [kind, given] of [
  ['', undefined],
  ['encrypted ', keys],
] as const) {
  test(`a guest runs on an ${kind}disk whose base is made meanwhile`, async (context) => {
    const { folder, reads, serve, a, b, finish } = await start(context, given)
    let server = await serve()
    const machine = await startMachine(machineOf(folder, [a, b]))
    await countsOn(folder, 20)
    assert(reads.length > 0)
    assert.deepEqual((await machine.servedDisks()).toSorted(), ['disk-a', 'disk-b'])
    assert.equal(await machine.takeBase(a), false)

    // Whoever serves it goes, and somebody else comes, who finds the machine.
    await machine[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
    server = await serve()
    context.after(() => server[Symbol.asyncDispose]())
    await using again = await found(folder)
    // One is written in its lowest layer, the other in one above.
    await addLayer(b.folder, 2, given)
    await again.freeze([{ diskId: b.id, folder: b.folder, layer: 2, keys: given }])
    await countsOn(folder, 20)
    await finish()
    for (const disk of [a, b]) assert(await again.takeBase(disk))
    assert.deepEqual(await again.servedDisks(), [])
    await server[Symbol.asyncDispose]()
    await countsOn(folder, 20)
    // It boots from the file, while nobody serves it.
    const dots = reads.length
    await again.reset()
    await countsOn(folder, 20)
    assert.equal(reads.length, dots)
    assert.equal(await again.unplug(b, { timeoutMs: 50, isForced: true }), 'unplugged')
    await again.kill()
    assert((await countIn(a.folder, 1, given)) >= 20)
  })
}

test('a guest that reads what nobody serves waits for it', async (context) => {
  const { folder, serve, a, b } = await start(context)
  const server = await serve()
  await using machine = await startMachine({ ...machineOf(folder, [a, b]), startsPaused: true })
  await server[Symbol.asyncDispose]()
  await machine.cont()
  await until(async () => (await machine.state()) === 'running')
  await using _next = await serve()
  await countsOn(folder, 20)
  await machine.kill()
})

test('a disk is plugged in over a base that is served, and taken out again', async (context) => {
  const { folder, serve, a, b, finish } = await start(context)
  const server = await serve()
  context.after(() => server[Symbol.asyncDispose]())
  await using machine = await startMachine(machineOf(folder, [a]))
  await machine.plug(b, { timeoutMs: 50 })
  assert.equal((await machine.servedDisks()).length, 2)
  await finish()
  assert(await machine.takeBase(b))
  assert.deepEqual(await machine.servedDisks(), [a.id])
  assert(await machine.takeBase(a))
  // Whoever was cut off meanwhile does it all again.
  assert(await machine.takeBase(a))
  await machine.kill()
})
