/**
 * Keeps the promises of volumes: makes the files of new ones, removes those of
 * deleted ones, and merges the layers of those that no instance has. The files of
 * an attached volume are its instance's.
 */
import { type Connections, transaction } from '../db/database.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import type { Id } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import { reasonOf } from '../lib/reason-of.ts'
import {
  chainOf,
  createVolume,
  removeMergedLayers,
  removeVolume,
  topLayer,
} from '../qemu/layers.ts'
import { mergeLayers } from '../qemu/merge-layers.ts'
import type { Lanes } from '../reconcile/lanes.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import { findSnapshotOfCopy, listWaitingCopies } from '../snapshots/copy-store.ts'
import { deleteSnapshotRow, hasPendingSnapshots } from '../snapshots/store.ts'
import { deleteTagsOf } from '../tags/store.ts'
import type { Bases } from './bases.ts'
import { baseSourceOf, keysOfVolume, type OpenDiskKey } from './disk-keys.ts'
import { expireVolume, listExpiredVolumeIds } from './life-store.ts'
import {
  changeVolumeState,
  deleteVolumeRow,
  findAttachment,
  findVolumeById,
  listVolumesInState,
  setBase,
} from './store.ts'
import { bytesPerGiB, type Volume } from './volume.ts'

/** More frozen layers than this are merged into one. */
const frozenLayersMax = 4

interface Dependencies {
  readonly db: Connections
  readonly bases: Pick<Bases, 'prepare' | 'isWhole'>
  /** Work on a volume's files holds the lane `volume/<id>`. */
  readonly lanes: Lanes
  readonly volumeFolder: (id: Id<'volume'>) => string
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
  readonly log: Log
}

export function volumeReconciler(dependencies: Dependencies): Reconciler<Id<'volume'>> {
  const { db, lanes, now, log } = dependencies
  /** The known layer of each volume when its chain was last seen to be short. */
  const shortAt = new Map<Id<'volume'>, number>()
  return {
    name: 'volumes',
    stepsAtOnceMax: 8,

    async due() {
      const waiting = await listWaitingCopies(db.reads)
      const creating = (await listVolumesInState(db.reads, 'creating')).filter(
        ({ id }) => !waiting.has(id),
      )
      const deleting = await listVolumesInState(db.reads, 'deleting')
      const available = await listVolumesInState(db.reads, 'available')
      // One that was not looked at yet may have what a merge left that was cut off.
      const doubtful = available.filter(
        ({ id, knownLayer }) => knownLayer - (shortAt.get(id) ?? -Infinity) > frozenLayersMax,
      )
      const expired = await listExpiredVolumeIds(db.reads, now())
      return [...[...creating, ...deleting, ...doubtful].map(({ id }) => id), ...expired]
    },

    async step(id) {
      return await lanes.hold(`volume/${id}`, async () => {
        const volume = await findVolumeById(db.writes, id)
        const isExpired = volume?.recycleExitAt && volume.recycleExitAt <= now()
        if (isExpired && (await transaction(db.writes, (tx) => expireVolume(tx, id, now())))) {
          return 'moved'
        }
        if (volume?.state === 'creating') {
          const isCopy = volume.sourceVolumeId !== undefined && volume.baseManifest === undefined
          return await (isCopy ? takeOver(volume, db) : make(volume, dependencies))
        }
        if (volume?.state === 'deleting') {
          shortAt.delete(id)
          return await remove(volume, dependencies)
        }
        if (volume?.state === 'available' && (await merge(volume, dependencies))) {
          shortAt.set(id, volume.knownLayer)
        }
        return 'waiting'
      })
    },

    async giveUp(id, error) {
      // What is to go is tried for as long as it takes.
      const message = reasonOf(error)
      const change = { id, from: 'creating', to: 'error', message } as const
      const isOver = await transaction(db.writes, (tx) => changeVolumeState(tx, change))
      if (isOver) log.error('a volume could not be made', { volumeId: id, error })
    },
  }
}

/**
 * Gives a copy the disk that its source was at the moment of the call. The snapshot that
 * stored it goes in the same transaction, so that the disk is named at every moment.
 */
async function takeOver(volume: Volume, db: Connections): Promise<StepOutcome> {
  const { id } = volume
  return await transaction(db.writes, async (tx) => {
    const moment = await findSnapshotOfCopy(tx, id)
    if (moment?.state === 'pending') return 'waiting'
    if (moment?.state === 'completed') await setBase(tx, volume, moment)
    else {
      const message = moment?.stateMessage ?? 'What it should be a copy of is gone'
      await changeVolumeState(tx, { id, from: 'creating', to: 'error', message })
    }
    if (moment) await deleteSnapshotRow(tx, moment.id)
    return 'moved'
  })
}

async function make(
  volume: Volume,
  { db, bases, volumeFolder, openDiskKey }: Dependencies,
): Promise<StepOutcome> {
  const { id, sizeGiB } = volume
  const source = baseSourceOf(volume)
  const path = source && (await bases.prepare(source))
  const keys = await keysOfVolume(volume, openDiskKey)
  await createVolume(volumeFolder(id), {
    sizeBytes: sizeGiB * bytesPerGiB,
    ...(path !== undefined && { base: path }),
    ...(keys && { key: keys.layers }),
  })
  await transaction(db.writes, async (tx) => {
    const to = (await findAttachment(tx, id)) ? 'in-use' : 'available'
    await changeVolumeState(tx, { id, from: 'creating', to })
  })
  return 'moved'
}

/** A snapshot that is on its way still reads the files. */
async function remove({ id }: Volume, { db, volumeFolder }: Dependencies): Promise<StepOutcome> {
  if (await hasPendingSnapshots(db.writes, id)) return 'waiting'
  await removeVolume(volumeFolder(id))
  await transaction(db.writes, async (tx) => {
    const moment = await findSnapshotOfCopy(tx, id)
    if (moment) await deleteSnapshotRow(tx, moment.id)
    await deleteTagsOf(tx, id)
    await deleteVolumeRow(tx, id)
  })
  return 'moved'
}

/** Merges the layers whose content is known. Tells whether the chain is short by now. */
async function merge(
  volume: Volume,
  { db, bases, volumeFolder, openDiskKey }: Dependencies,
): Promise<boolean> {
  const { id, knownLayer } = volume
  // What is frozen from now on waits for this lane; what was is read by its snapshot.
  if ((await findAttachment(db.writes, id)) || (await hasPendingSnapshots(db.writes, id))) {
    return false
  }
  const folder = volumeFolder(id)
  const top = await topLayer(folder)
  const { layers } = await chainOf(folder, top)
  if (layers.length - 1 <= frozenLayersMax) {
    await removeMergedLayers(folder)
    return true
  }
  try {
    // What merges them opens what they lie over.
    const source = baseSourceOf(volume)
    if (source && !(await bases.isWhole(source))) return false
    const keys = await keysOfVolume(volume, openDiskKey)
    await mergeLayers(folder, { upTo: knownLayer, keys })
  } catch (error) {
    // Nobody reads it now, so nobody waits for that.
    if (!(error instanceof KeyUnusable)) throw error
  }
  return true
}
