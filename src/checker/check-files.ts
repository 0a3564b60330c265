/** That files and rows agree: what a row promises is there, and nothing else is. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database } from '../db/database.ts'
import { listTasksUnderWay } from '../import-tasks/store.ts'
import { listActiveImports } from '../imports/store.ts'
import { type InstanceState, stateCodes } from '../instances/instance.ts'
import { listInstanceRoots } from '../instances/root-store.ts'
import { listByState } from '../instances/store.ts'
import { messageOf } from '../lib/message-of.ts'
import { listAllVpcIds } from '../network/store.ts'
import { basePath, isBaseName } from '../qemu/base-files.ts'
import { chainOf, topLayer } from '../qemu/layers.ts'
import { listPendingSnapshots } from '../snapshots/store.ts'
import { listModificationsIn } from '../volume-modifications/store.ts'
import { baseOf } from '../volumes/disk-keys.ts'
import { listAllVolumes } from '../volumes/store.ts'
import { bytesPerGiB, type Volume } from '../volumes/volume.ts'
import type { Finding } from './finding.ts'

export async function* checkFiles(db: Database, dataFolder: string): AsyncGenerator<Finding> {
  const folder = (name: string) => join(dataFolder, name)
  const volumes = await listAllVolumes(db)
  // These have their old size or the new one already.
  const growing = new Set((await listModificationsIn(db, ['modifying'])).map((one) => one.volumeId))
  for (const volume of volumes) {
    if (volume.state !== 'available' && volume.state !== 'in-use') continue
    const place = join(folder('volumes'), volume.id)
    yield* checkVolume(volume, place, folder('bases'), growing.has(volume.id))
  }
  for (const { id, volumeId, layer } of await listPendingSnapshots(db)) {
    if (layer === undefined) continue
    const place = join(folder('volumes'), volumeId)
    const isThere = await chainOf(place, layer).catch(() => undefined)
    if (!isThere) yield { about: id, what: `is pending, and layer ${layer} of ${volumeId} is gone` }
  }
  const instances = await listByState(db, Object.keys(stateCodes) as InstanceState[])
  const roots = await listInstanceRoots(db)
  for (const { id, state } of instances) {
    const disk = roots.get(id)
    if (state !== 'running' || !disk) continue
    const chain = await chainOf(join(folder('instance-disks'), id), 1).catch(() => undefined)
    const expected = basePath(folder('bases'), { manifest: disk })
    if (chain?.basePath !== expected) {
      yield {
        about: id,
        what: `has a root over ${chain?.basePath ?? 'nothing'} instead of ${expected}`,
      }
    }
  }
  const known = {
    'instance-disks': new Set<string>(roots.keys()),
    volumes: new Set<string>(volumes.map(({ id }) => id)),
    run: new Set<string>([...instances.map(({ id }) => id), ...(await listAllVpcIds(db))]),
    'import-tasks': new Set<string>((await listTasksUnderWay(db)).map(({ id }) => id)),
    work: new Set<string>((await listActiveImports(db)).map(({ id }) => id)),
  }
  for (const [name, expected] of Object.entries(known)) {
    for (const found of await namesIn(folder(name))) {
      if (!expected.has(found)) yield { about: `${name}/${found}`, what: 'is left over' }
    }
  }
  // Whole or not, a base that nobody needs any more is for the garbage collection.
  for (const found of await namesIn(folder('bases'))) {
    if (!isBaseName(found.replace(/\.tmp$/, ''))) {
      yield { about: `bases/${found}`, what: 'is left over' }
    }
  }
}

async function* checkVolume(
  volume: Volume,
  place: string,
  basesFolder: string,
  isGrowing: boolean,
): AsyncGenerator<Finding> {
  const { id, sizeGiB, knownLayer, kmsKeyArn } = volume
  try {
    const top = await topLayer(place)
    const { layers, basePath: found, sizeBytes, isEncrypted } = await chainOf(place, top)
    const base = baseOf(volume)
    const expected = base && basePath(basesFolder, base)
    if (isEncrypted !== (kmsKeyArn !== undefined)) {
      yield { about: id, what: isEncrypted ? 'is encrypted' : 'is not encrypted' }
    }
    if (found !== expected) {
      yield { about: id, what: `lies over ${found ?? 'nothing'} instead of ${expected}` }
    }
    if (isGrowing ? sizeBytes > sizeGiB * bytesPerGiB : sizeBytes !== sizeGiB * bytesPerGiB) {
      yield { about: id, what: `has ${sizeBytes} bytes instead of ${sizeGiB} GiB` }
    }
    if (knownLayer > 0 && knownLayer >= top) {
      yield { about: id, what: `is written in layer ${top}, which is known and should be frozen` }
    }
    const linked = new Set(layers.map(({ layer }) => `${layer}.qcow2`))
    for (const name of await namesIn(place)) {
      if (!linked.has(name)) yield { about: `volumes/${id}/${name}`, what: 'is left over' }
    }
  } catch (error) {
    yield {
      about: id,
      what: `cannot be read: ${messageOf(error)}`,
    }
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return await readdir(folder).catch(() => [])
}
