/**
 * Keeps the promise of changes: grows volumes that no instance has, and completes
 * what is done. The volumes of an instance are grown by its own reconciler.
 */
import { transaction } from '../db/database.ts'
import type { VolumeFiles } from '../freezes/offline.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { Bases } from '../volumes/bases.ts'
import { findAttachment, findVolumeById } from '../volumes/store.ts'
import { applyOffline, failModification } from './apply.ts'
import { changeModificationState, listModificationsIn, listModificationsOf } from './store.ts'

export function modificationReconciler(
  files: VolumeFiles & { readonly bases: Pick<Bases, 'isWhole'>; readonly now: () => Date },
): Reconciler<Id<'volume'>> {
  const { db, now } = files
  /** Attached to nothing, and there to stay. */
  const isFree = async (id: Id<'volume'>): Promise<boolean> =>
    (await findAttachment(db.writes, id)) === undefined &&
    (await findVolumeById(db.writes, id))?.state !== 'deleting'
  return {
    name: 'volume-modifications',
    stepsAtOnceMax: 4,

    async due() {
      const owed = await listModificationsIn(db.reads, ['modifying', 'optimizing'])
      return owed.map(({ volumeId }) => volumeId)
    },

    async step(volumeId) {
      const last = (await listModificationsOf(db.writes, volumeId)).at(-1)
      if (last?.state === 'modifying') {
        if (!(await isFree(volumeId))) return 'waiting'
        const isDone = await applyOffline(files, last, () => isFree(volumeId))
        return isDone ? 'moved' : 'waiting'
      }
      if (last?.state !== 'optimizing') return 'waiting'
      // Every volume of this host has the speed of the host's disks: there is nothing to move.
      const change = { volumeId, number: last.number, from: 'optimizing', to: 'completed' } as const
      await transaction(db.writes, (tx) =>
        changeModificationState(tx, { ...change, endedAt: now() }),
      )
      return 'moved'
    },

    async giveUp(volumeId, error) {
      const message = reasonOf(error)
      await failModification(files, { volumeId, message, at: now() })
    },
  }
}
