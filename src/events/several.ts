/** Finds out whether a change is that of the last of several snapshots that one call has taken. */
import { findRequestBehind } from '../audit/request-store.ts'
import type { Tx } from '../db/database.ts'
import { isFreezeId } from '../freezes/freeze.ts'
import { listSnapshotsOfFreeze } from '../snapshots/store.ts'
import { hasChangeOf } from './change-store.ts'
import type { Message } from './event.ts'
import { ofSeveral } from './snapshot-messages.ts'
import type { StateChange } from './state-change.ts'

/** `told` are the changes that were taken so far, this one among them, and are not forgotten yet. */
export async function messageOfSeveral(
  tx: Tx,
  change: StateChange,
  told: readonly StateChange[],
): Promise<readonly Message[]> {
  const { kind, resourceId: name, facts } = change
  const freezeId = String(facts['freezeId'] ?? '')
  if (kind !== 'snapshot' || !isFreezeId(freezeId)) return []
  // An image is made of several, too, and is told of by itself.
  if (!(await findRequestBehind(tx, { name, actions: ['CreateSnapshots'] }))) return []
  const snapshots = await listSnapshotsOfFreeze(tx, freezeId)
  if (snapshots.some(({ state }) => state === 'pending')) return []
  // Of two that end at the same time, the one whose change is taken later is the last. Looked
  // for after the states were: whoever is seen to have ended has their change there.
  const ids = snapshots.map(({ id }) => id)
  if (await hasChangeOf(tx, { kind, ids, except: told })) return []
  return [ofSeveral(change, snapshots)]
}
