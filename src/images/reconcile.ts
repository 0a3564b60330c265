/** Keeps the promise of an image: it is available when all its snapshots are whole, and fails when one does. */
import { type Connections, transaction } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { snapshotsOf } from './image.ts'
import { changeImageState, findImage, listPendingImageIds } from './store.ts'

export function imageReconciler({
  db,
  now,
}: {
  readonly db: Connections
  readonly now: () => Date
}): Reconciler<Id<'image'>> {
  return {
    name: 'images',
    stepsAtOnceMax: 8,
    due: () => listPendingImageIds(db.reads),
    async step(id) {
      return await transaction(db.writes, async (tx) => {
        const image = await findImage(tx, id)
        if (image?.state !== 'pending') return 'waiting'
        const ids = snapshotsOf(image)
        const snapshots = await findSnapshots(tx, ids)
        const failed = snapshots.find(({ state }) => state === 'error')
        if (failed || snapshots.length < ids.length) {
          const why = failed?.state === 'error' ? `${failed.id}: ${failed.stateMessage}` : 'deleted'
          const message = `Server.InternalError: A snapshot of the image has failed: ${why}`
          const reason = { code: 'Server.InternalError', message }
          await changeImageState(tx, { id, from: ['pending'], to: 'failed', at: now(), reason })
          return 'moved'
        }
        if (!snapshots.every(({ state }) => state === 'completed')) return 'waiting'
        await changeImageState(tx, { id, from: ['pending'], to: 'available', at: now() })
        return 'moved'
      })
    },
  }
}
