/** What one enables for a snapshot of another's ends when one may not use the snapshot any more. */
import type { Tx } from '../db/database.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { endings, isOn } from './fast-restore.ts'
import { changeFastRestore, listFastRestoresOfOthers } from './store.ts'

export async function endUnsharedRestores(
  tx: Tx,
  snapshot: Pick<Snapshot, 'id' | 'accountId'>,
  now: Date,
): Promise<void> {
  for (const restore of await listFastRestoresOfOthers(tx, snapshot)) {
    if (!isOn(restore)) continue
    if (await findUsableSnapshot(tx, { ...restore, id: snapshot.id })) continue
    const times = { ...restore.times, disabling: now }
    await changeFastRestore(tx, restore, { state: 'disabling', times, reason: endings.gone })
  }
}
