/**
 * Keeps the promises of an image: it is available when all its snapshots or its bundle are there,
 * fails when one does, and is gone when its time in the Recycle Bin is over.
 */
import { findImageBundle } from '../bundles/store.ts'
import { type Connections, transaction, type Tx } from '../db/database.ts'
import { isKeyTrouble, keyTroubleCode } from '../kms/key-trouble.ts'
import type { Id } from '../lib/ids.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { wishScan } from '../scans/wish.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { deleteTagsOf } from '../tags/store.ts'
import { type Image, snapshotsOf } from './image.ts'
import { listExpiredImageIds } from './life-store.ts'
import { removeLaunchPermissions } from './permission-store.ts'
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
    due: async () => [
      ...(await listPendingImageIds(db.reads)),
      ...(await listExpiredImageIds(db.reads, now())),
    ],
    async step(id) {
      return await transaction(db.writes, async (tx) => {
        const image = await findImage(tx, id)
        if (image?.state === 'recycled') return await leaveBin(tx, image, now())
        if (image?.state !== 'pending') return 'waiting'
        if (image.rootDeviceType === 'instance-store') {
          // Who reads its bundle also says where that has failed.
          if (!(await findImageBundle(tx, id))?.disk) return 'waiting'
        }
        const ids = snapshotsOf(image)
        const snapshots = await findSnapshots(tx, ids)
        const failed = snapshots.find(({ state }) => state === 'error')
        if (failed || snapshots.length < ids.length) {
          const why = failed?.state === 'error' ? `${failed.id}: ${failed.stateMessage}` : 'deleted'
          const code = isKeyTrouble(why) ? keyTroubleCode : 'Server.InternalError'
          const message = `${code}: A snapshot of the image has failed: ${why}`
          const reason = { code, message }
          await changeImageState(tx, { id, from: ['pending'], to: 'failed', at: now(), reason })
          return 'moved'
        }
        if (!snapshots.every(({ state }) => state === 'completed')) return 'waiting'
        await changeImageState(tx, { id, from: ['pending'], to: 'available', at: now() })
        await wishScan(tx, image)
        return 'moved'
      })
    },
  }
}

async function leaveBin(tx: Tx, image: Image, at: Date): Promise<'moved' | 'waiting'> {
  const { id, recycleExitAt } = image
  if (!recycleExitAt || recycleExitAt > at) return 'waiting'
  await changeImageState(tx, { id, from: ['recycled'], to: 'deregistered', at })
  await removeLaunchPermissions(tx, id)
  await deleteTagsOf(tx, id)
  return 'moved'
}
