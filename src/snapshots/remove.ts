/**
 * Deletes a snapshot: for good, or into the Recycle Bin where a rule retains it.
 * Refused while an image lives on it, and while it is locked.
 */
import type { Tx } from '../db/database.ts'
import { deleteFastRestores } from '../fast-restores/store.ts'
import { listImagesOnSnapshots } from '../images/store.ts'
import type { Id } from '../lib/ids.ts'
import { markRecycled } from '../recycle-bin/mark.ts'
import { recycleExit } from '../recycle-bin/retention.ts'
import { deleteTagsOf } from '../tags/store.ts'
import { claimExpiredSnapshot, claimSnapshot, recycleSnapshot } from './life-store.ts'
import { snapshotLocked, snapshotLockState } from './lock.ts'
import { deleteLock, findLock } from './lock-store.ts'
import { type Snapshot, snapshotInUse, snapshotNotFound } from './snapshot.ts'
import { deleteSnapshotRow, findSnapshot } from './store.ts'

/**
 * Only the record goes: a volume made of it keeps the content that it needs, an
 * upload under way finds nobody to give its result to.
 */
export async function removeSnapshot(tx: Tx, id: Id<'snapshot'>, now: Date): Promise<void> {
  const snapshot = (await claimSnapshot(tx, id)) ? await findSnapshot(tx, id) : undefined
  if (!snapshot) throw snapshotNotFound(id)
  const { accountId, region } = snapshot
  const [imageId] = (await listImagesOnSnapshots(tx, [id])).get(id) ?? []
  if (imageId) throw snapshotInUse(id, imageId)
  if (await isLocked(tx, snapshot, now)) throw snapshotLocked(id)
  await deleteLock(tx, id)
  if (snapshot.state === 'completed') {
    const owned = { accountId, region, id, now }
    const exitAt = await recycleExit(tx, { ...owned, resourceType: 'EBS_SNAPSHOT' })
    // It keeps its tags and shares for its return.
    if (exitAt && (await recycleSnapshot(tx, id, { at: now, exitAt }))) {
      await markRecycled(tx, snapshot, 'snapshot')
      await deleteFastRestores(tx, id)
      return
    }
  }
  await forget(tx, id)
}

/** Deletes a snapshot whose time in the Recycle Bin is over. Tells whether it was. */
export async function expireSnapshot(tx: Tx, id: Id<'snapshot'>, now: Date): Promise<boolean> {
  if (!(await claimExpiredSnapshot(tx, id, now))) return false
  await forget(tx, id)
  return true
}

/** A lock that has expired holds nothing any more. */
export async function isLocked(tx: Tx, snapshot: Snapshot, now: Date): Promise<boolean> {
  const lock = await findLock(tx, snapshot.id)
  return lock !== undefined && snapshotLockState(lock, snapshot, now) !== 'expired'
}

async function forget(tx: Tx, id: Id<'snapshot'>): Promise<void> {
  await deleteSnapshotRow(tx, id)
  await deleteTagsOf(tx, id)
}
