/**
 * Keeps the promise of freezes that no machine has a part in: of volumes that
 * are attached to nothing, or whose instance is gone. All others belong to the
 * reconciler of their instance, and are handed to it.
 */
import { transaction } from '../db/database.ts'
import { findInstance } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { listAttachments } from '../volumes/store.ts'
import type { FreezeId } from './freeze.ts'
import { failFreeze, freezeOffline, listVolumesOfFreeze, type VolumeFiles } from './offline.ts'
import { findFreeze, handFreezeTo, listWantedFreezes } from './store.ts'

export function freezeReconciler(files: VolumeFiles): Reconciler<FreezeId> {
  const { db } = files

  const hasInstance = async (instanceId: Id<'instance'> | undefined): Promise<boolean> => {
    const instance = instanceId && (await findInstance(db.reads, instanceId))
    return instance !== undefined && instance.state !== 'terminated'
  }

  /** A volume may have been attached since; then only that instance knows how it stands. */
  const findUser = async (id: FreezeId): Promise<Id<'instance'> | undefined> => {
    const volumeIds = await listVolumesOfFreeze(db.writes, id)
    const attachments = volumeIds.length > 0 ? await listAttachments(db.writes, { volumeIds }) : []
    for (const { instanceId } of attachments) if (await hasInstance(instanceId)) return instanceId
    return undefined
  }

  return {
    name: 'freezes',
    stepsAtOnceMax: 4,

    async due() {
      const due: FreezeId[] = []
      for (const { id, instanceId } of await listWantedFreezes(db.reads)) {
        if (!(await hasInstance(instanceId))) due.push(id)
      }
      return due
    },

    async step(id) {
      const freeze = await findFreeze(db.writes, id)
      if (freeze?.state !== 'wanted' || (await hasInstance(freeze.instanceId))) return 'waiting'
      const instanceId = await findUser(id)
      if (instanceId) await transaction(db.writes, (tx) => handFreezeTo(tx, { id, instanceId }))
      else await freezeOffline(files, id, async () => (await findUser(id)) === undefined)
      return 'moved'
    },

    async giveUp(id, error) {
      const message = reasonOf(error)
      await transaction(db.writes, (tx) => failFreeze(tx, id, message))
    },
  }
}
