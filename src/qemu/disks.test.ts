/** What is done to the disks of a machine while its guest writes to them. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { test } from 'node:test'
import { addLayer, chainOf, createVolume, layerPath } from './layers.ts'
import { mapVolume } from './map-volume.ts'
import { qemuImg } from './qemu-img.ts'
import { startMachine } from './start-machine.ts'
import {
  contentOf,
  countIn,
  countingDisks,
  countsOn,
  diskOf,
  found,
  machineOf,
  MiB,
  scratch,
  until,
} from './test-rig.ts'

/** How long the guest is waited for. This one does not know what it is asked. */
const patience = { timeoutMs: 50 }

const point = ({ id, folder }: { id: string; folder: string }, layer: number) => ({
  diskId: id,
  folder,
  layer,
})

test('all disks of a running machine are frozen at one moment', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  await using machine = await startMachine(machineOf(folder, [a, b]))
  let lastCount = 0

  for (const layer of [2, 3, 4]) {
    await countsOn(folder, 20)
    await addLayer(a.folder, layer)
    await addLayer(b.folder, layer)
    await machine.freeze([point(a, layer), point(b, layer)])
    await machine.freeze([point(a, layer), point(b, layer)])

    const countA = await countIn(a.folder, layer - 1)
    const countB = await countIn(b.folder, layer - 1)
    // The guest writes to A first, then to B.
    assert(countA === countB || countA === countB + 1, `${countA} and ${countB}`)
    assert(countA >= lastCount + 20)
    const { changed = [] } = await mapVolume(b.folder, { upTo: layer - 1, since: layer - 2 })
    assert((changed.at(-1)?.start ?? 0) <= countB * 512)
    lastCount = countA
  }
  assert.deepEqual(Object.fromEntries(await machine.topLayers()), { 'disk-a': 4, 'disk-b': 4 })
  await countsOn(folder, 20)
  await machine.kill()
  assert((await countIn(a.folder, 4)) >= lastCount + 20)
})

test('a freeze cut off after the file was made is done later', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  const spec = machineOf(folder, [a, b])
  {
    await using machine = await startMachine(spec)
    await countsOn(folder, 10)
    await addLayer(a.folder, 2)
    assert.equal((await machine.topLayers()).get('disk-a'), 1)
  }
  {
    await using machine = await found(folder)
    await addLayer(a.folder, 2)
    await machine.freeze([point(a, 2)])
    assert.deepEqual(Object.fromEntries(await machine.topLayers()), { 'disk-a': 2, 'disk-b': 1 })
    await addLayer(b.folder, 2)
    await machine.kill()
  }
  const count = await countIn(b.folder, 2)
  await using machine = await startMachine({ ...spec, startsPaused: true })
  assert.deepEqual(Object.fromEntries(await machine.topLayers()), { 'disk-a': 2, 'disk-b': 2 })
  assert.equal(await countIn(b.folder, 1), count)
  await machine.kill()
})

test('layers are merged under a running machine, twice if need be', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  await using machine = await startMachine(machineOf(folder, [a, b]))
  for (const layer of [2, 3, 4]) {
    await countsOn(folder, 20)
    await addLayer(a.folder, layer)
    await machine.freeze([point(a, layer)])
  }
  const before = await contentOf(a.folder, 3)
  const merge = { diskId: a.id, folder: a.folder, upTo: 3 }

  await assert.rejects(machine.merge({ ...merge, upTo: 4 }), /not frozen/)
  await assert.rejects(machine.merge({ ...merge, signal: AbortSignal.abort() }), /abort/)
  await machine.merge(merge)
  await machine.merge(merge)

  assert.deepEqual((await readdir(a.folder)).toSorted(), ['1.qcow2', '4.qcow2'])
  assert(before.equals(await contentOf(a.folder, 1)))
  await countsOn(folder, 20)
  await addLayer(a.folder, 5)
  await machine.freeze([point(a, 5)])
  await machine.merge({ ...merge, upTo: 4 })
  assert.deepEqual((await readdir(a.folder)).toSorted(), ['1.qcow2', '5.qcow2'])
  await machine.kill()
  assert((await countIn(a.folder, 5)) > 60)
  for (const layer of [1, 5]) await qemuImg(['check', '-q', layerPath(a.folder, layer)])
})

test('layers of a disk that grew are merged under a running machine', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  await using machine = await startMachine(machineOf(folder, [a, b]))
  const { sizeBytes } = await chainOf(a.folder, 1)
  for (const layer of [2, 3, 4]) {
    await countsOn(folder, 10)
    await machine.resize(a.id, sizeBytes + (layer - 1) * MiB)
    await machine.resize(a.id, sizeBytes + (layer - 1) * MiB)
    await addLayer(a.folder, layer)
    await machine.freeze([point(a, layer)])
  }
  const before = await contentOf(a.folder, 3)
  assert.equal(before.length, sizeBytes + 3 * MiB)
  await machine.merge({ diskId: a.id, folder: a.folder, upTo: 3 })
  assert(before.equals(await contentOf(a.folder, 1)))
  assert.equal((await chainOf(a.folder, 4)).sizeBytes, sizeBytes + 3 * MiB)
  await countsOn(folder, 10)
  await machine.kill()
  for (const layer of [1, 4]) await qemuImg(['check', '-q', layerPath(a.folder, layer)])
})

test('a disk is plugged in, grows, and goes when the guest lets it', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  const disks = [diskOf(folder, 'disk-c'), diskOf(folder, 'disk-d'), diskOf(folder, 'disk-e')]
  for (const disk of disks) await createVolume(disk.folder, { sizeBytes: 8 * MiB })
  const [c, d, e] = disks
  assert(c && d && e)
  await using machine = await startMachine(machineOf(folder, [a, b]))
  await countsOn(folder, 1)

  await machine.plug(c, patience)
  await machine.plug(c, patience)
  await machine.plug(d, patience)
  await assert.rejects(machine.plug(e, patience), { name: 'NoFreePort' })
  await machine.resize(c.id, 16 * MiB)
  assert.equal((await mapVolume(c.folder, { upTo: 1 })).sizeBytes, 16 * MiB)
  await addLayer(c.folder, 2)
  await machine.freeze([point(c, 2)])
  assert.equal((await machine.topLayers()).get(c.id), 2)

  // This guest knows nothing of plugs. Its next start does.
  assert.equal(await machine.unplug(c, patience), 'pending')
  assert.equal(await machine.unplug(c, patience), 'pending')
  await machine.reset()
  await until(async () => (await machine.unplug(c, { timeoutMs: 1_000 })) === 'unplugged')
  assert.equal(await machine.unplug(c, patience), 'unplugged')
  assert.equal((await machine.topLayers()).has(c.id), false)
  await qemuImg(['check', '-q', layerPath(c.folder, 2)])
  await machine.plug(c, patience)
  assert.equal((await machine.topLayers()).get(c.id), 2)
})

test('a disk is taken from a guest that does not let go, and its files are free', async (context) => {
  const folder = await scratch(context)
  const [a, b] = await countingDisks(folder)
  await using machine = await startMachine(machineOf(folder, [a, b]))
  await countsOn(folder, 20)
  const force = { ...patience, isForced: true }

  assert.equal(await machine.unplug(b, force), 'unplugged')
  assert.deepEqual(Object.fromEntries(await machine.topLayers()), { 'disk-a': 1 })
  const count = await countIn(b.folder, 1)
  assert(count >= 20)
  // The guest goes on, and what it writes there is lost.
  await countsOn(folder, 20)
  assert.equal(await machine.state(), 'running')
  assert.equal(await countIn(b.folder, 1), count)
  // Whoever writes to the file locks it.
  await qemuImg(['check', '-q', '-r', 'leaks', layerPath(b.folder, 1)])
  assert.equal(await machine.unplug(b, force), 'unplugged')

  // The guest still has a device of that name, until it starts anew.
  const again = diskOf(folder, b.id)
  await assert.rejects(machine.plug(again, patience), { name: 'StillHeld' })
  assert.equal(await machine.unplug(b, patience), 'unplugged')
  await machine.reset()
  await until(() =>
    machine.plug(again, { timeoutMs: 1_000 }).then(
      () => true,
      () => false,
    ),
  )
  assert.equal((await machine.topLayers()).get(b.id), 1)
  await until(async () => (await machine.unplug(b, force)) === 'unplugged')
  assert.equal((await machine.topLayers()).has(b.id), false)
})
