/** Has the moment that snapshots are of been taken? Until then a call that promised it does not answer. */
import type { Database } from '../db/database.ts'
import { listWantedFreezes } from '../freezes/store.ts'
import type { Id } from '../lib/ids.ts'
import { findSnapshots } from './store.ts'

/** With a reboot the moment is when the machine is down: nobody waits for that. */
export async function areFrozen(
  db: Database,
  snapshotIds: readonly Id<'snapshot'>[],
): Promise<boolean> {
  const wanted = new Set(
    (await listWantedFreezes(db)).filter((freeze) => !freeze.withReboot).map(({ id }) => id),
  )
  if (wanted.size === 0) return true
  const snapshots = await findSnapshots(db, snapshotIds)
  return !snapshots.some(
    ({ state, freezeId }) => state === 'pending' && freezeId !== undefined && wanted.has(freezeId),
  )
}
