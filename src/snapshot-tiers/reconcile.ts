/**
 * Moves snapshots from tier to tier, and those that were restored for some days
 * back. The content stays where it is: what changes is whether it can be used.
 */
import { type Connections, transaction, type Tx } from '../db/database.ts'
import { deleteFastRestores } from '../fast-restores/store.ts'
import { findImageInUse } from '../images/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import { holdSnapshot, listOverdueRestoreIds, setTier } from '../snapshots/life-store.ts'
import { removeSnapshotPermissions } from '../snapshots/permission-store.ts'
import { findSnapshot } from '../snapshots/store.ts'
import { findTiering, listTieringIds, putTiering } from './store.ts'
import type { Tiering } from './tiering.ts'

const dayMs = 24 * 60 * 60 * 1000

export function snapshotTierReconciler({
  db,
  now,
}: {
  readonly db: Connections
  readonly now: () => Date
}): Reconciler<Id<'snapshot'>> {
  return {
    name: 'snapshot-tiers',
    stepsAtOnceMax: 4,
    due: async () => [
      ...(await listTieringIds(db.reads)),
      ...(await listOverdueRestoreIds(db.reads, now())),
    ],
    async step(id) {
      return await transaction(db.writes, async (tx) => {
        if (!(await holdSnapshot(tx, id))) return 'waiting'
        const tiering = await findTiering(tx, id)
        const snapshot = await findSnapshot(tx, id)
        if (!tiering || !snapshot) return 'waiting'
        const at = now()
        if (tiering.progress === 'in-progress') return await finish(tx, tiering, at)
        if (!snapshot.restoreExpiresAt || snapshot.restoreExpiresAt > at) return 'waiting'
        const archival: Tiering = { ...tiering, operation: 'archival', startedAt: at }
        return await finish(tx, { ...archival, restoreDays: undefined }, at)
      })
    },
  }
}

async function finish(tx: Tx, tiering: Tiering, at: Date): Promise<StepOutcome> {
  const { snapshotId: id, operation, restoreDays } = tiering
  if (operation === 'archival') {
    const imageId = await findImageInUse(tx, id)
    if (imageId) {
      const detail = `The snapshot is in use by ${imageId}.`
      await setTier(tx, { id, tier: 'standard', restoreExpiresAt: undefined })
      await putTiering(tx, { ...tiering, progress: 'failed', detail })
      return 'moved'
    }
    await setTier(tx, { id, tier: 'archive', restoreExpiresAt: undefined })
    await deleteFastRestores(tx, id)
    await removeSnapshotPermissions(tx, id)
    await putTiering(tx, { ...tiering, progress: 'completed', detail: '', archivedAt: at })
    return 'moved'
  }
  const restoreExpiresAt =
    restoreDays === undefined ? undefined : new Date(at.getTime() + restoreDays * dayMs)
  await setTier(tx, { id, tier: 'standard', restoreExpiresAt })
  await putTiering(tx, { ...tiering, progress: 'completed', detail: '' })
  return 'moved'
}
