/**
 * Freezes volumes that no machine is writing to, by giving each a new top layer.
 * Which layer a freeze goes up to is recorded before anything is done, so that
 * whoever goes on after a crash freezes the same one. The parts of it serve the
 * freeze of a running machine, which differs in how the new layer gets on top.
 */
import { type Connections, type Database, type Tx, transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { addLayer, topLayer } from '../qemu/layers.ts'
import type { Lanes } from '../reconcile/lanes.ts'
import { failSnapshot, listSnapshotsOfFreeze, setFrozenLayer } from '../snapshots/store.ts'
import { keysOfVolume, type OpenDiskKey } from '../volumes/disk-keys.ts'
import { findVolumeById } from '../volumes/store.ts'
import type { Volume } from '../volumes/volume.ts'
import type { FreezeId } from './freeze.ts'
import { finishFreeze, listWantedFreezes } from './store.ts'

export interface VolumeFiles {
  readonly db: Connections
  readonly lanes: Lanes
  readonly volumeFolder: (id: Id<'volume'>) => string
  readonly openDiskKey: OpenDiskKey
}

/**
 * Freezes the volumes, and says so. Safe to run again from any point. While they
 * are held no machine begins to write to them: whether one does, is to be asked then.
 */
export async function freezeOffline(
  files: VolumeFiles,
  freezeId: FreezeId,
  isStillOffline: () => Promise<boolean> = async () => true,
): Promise<void> {
  const { db, lanes, volumeFolder } = files
  await holdVolumes(lanes, await listVolumesOfFreeze(db.writes, freezeId), async () => {
    if (!(await isStillOffline())) return
    const layers = await recordLayers(files, freezeId)
    for (const { volume, layer } of layers) {
      const folder = volumeFolder(volume.id)
      // Another freeze may have come in between and put more layers on top.
      if ((await topLayer(folder)) !== layer) continue
      await addLayer(folder, layer + 1, await keysOfVolume(volume, files.openDiskKey))
    }
    await transaction(db.writes, (tx) => finishFreeze(tx, freezeId))
  })
}

/** A moment could not be taken. Whoever gives up on it fails its snapshots by `failFreeze`. */
export class FreezeFailed extends Error {
  readonly freezeId: FreezeId

  constructor(freezeId: FreezeId, cause: unknown) {
    super(reasonOf(cause), { cause })
    this.name = 'FreezeFailed'
    this.freezeId = freezeId
  }
}

/** Says of the snapshots of a freeze that they will never be. */
export async function failFreeze(tx: Tx, freezeId: FreezeId, message: string): Promise<void> {
  for (const { id } of await listSnapshotsOfFreeze(tx, freezeId)) {
    await failSnapshot(tx, { id, message })
  }
  await finishFreeze(tx, freezeId)
}

/** Whether a moment is owed of one of these volumes. */
export async function isFreezeWanted(
  db: Database,
  volumeIds: readonly Id<'volume'>[],
): Promise<boolean> {
  for (const { id } of await listWantedFreezes(db)) {
    const owed = await listVolumesOfFreeze(db, id)
    if (owed.some((volumeId) => volumeIds.includes(volumeId))) return true
  }
  return false
}

/** The volumes that snapshots of the freeze wait for. */
export async function listVolumesOfFreeze(
  db: Database,
  freezeId: FreezeId,
): Promise<readonly Id<'volume'>[]> {
  const snapshots = await listSnapshotsOfFreeze(db, freezeId)
  return snapshots.filter(({ state }) => state === 'pending').map(({ volumeId }) => volumeId)
}

/** A volume, and the layer that a freeze of it goes up to. */
export interface FrozenVolume {
  readonly volume: Volume
  readonly layer: number
}

/**
 * Decides up to which layer the freeze goes, volume by volume: the one that is on
 * top now. What was decided before stays. Snapshots of volumes that are gone
 * fail. To be called while the volumes are held.
 */
export async function recordLayers(
  { db, volumeFolder }: Pick<VolumeFiles, 'db' | 'volumeFolder'>,
  freezeId: FreezeId,
): Promise<readonly FrozenVolume[]> {
  const layers: FrozenVolume[] = []
  const gone: Id<'snapshot'>[] = []
  const snapshots = await listSnapshotsOfFreeze(db.writes, freezeId)
  for (const snapshot of snapshots.filter(({ state }) => state === 'pending')) {
    const { id, volumeId } = snapshot
    const volume = await findVolumeById(db.writes, volumeId)
    if (volume) {
      const layer = snapshot.layer ?? (await topLayer(volumeFolder(volumeId)))
      layers.push({ volume, layer })
    } else gone.push(id)
  }
  await transaction(db.writes, async (tx) => {
    for (const { volume, layer } of layers) {
      await setFrozenLayer(tx, { freezeId, volumeId: volume.id, layer })
    }
    for (const id of gone) await failSnapshot(tx, { id, message: 'The volume is gone' })
  })
  return layers
}

/** Does `work` while nothing else changes the files of the volumes. */
export async function holdVolumes<T>(
  lanes: Lanes,
  volumeIds: readonly Id<'volume'>[],
  work: () => Promise<T>,
): Promise<T> {
  // Always in one order, so that no two wait for each other.
  const sorted = [...new Set(volumeIds)].toSorted()
  return await sorted.reduceRight<() => Promise<T>>(
    (inner, id) => () => lanes.hold(`volume/${id}`, inner),
    work,
  )()
}
