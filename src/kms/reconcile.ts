/**
 * Keeps the promise of a key that is pending deletion: when its day has come, its
 * material goes, and with that everything that it ever encrypted. Its row goes last,
 * when no file of the database has the material any more.
 */
import { type Connections, transaction } from '../db/database.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { deleteAliasesOfKey } from './alias-store.ts'
import { deleteDiskKey } from './disk-key-store.ts'
import { keyArn } from './key.ts'
import { deleteErased, eraseKey, listKeysToErase } from './store.ts'

export function keyReconciler({
  db,
  now,
}: {
  readonly db: Connections
  readonly now: () => Date
}): Reconciler {
  return {
    name: 'kms-keys',
    stepsAtOnceMax: 1,
    due: () => listKeysToErase(db.reads, now()),
    async step(id) {
      await transaction(db.writes, async (tx) => {
        const key = await eraseKey(tx, id, now())
        if (!key) return
        await deleteAliasesOfKey(tx, id)
        await deleteDiskKey(tx, keyArn(key))
      })
      // Somebody may be reading what was there before: then it is tried again.
      if (!(await db.forget('kms_materials'))) return 'waiting'
      await transaction(db.writes, (tx) => deleteErased(tx, id))
      return 'moved'
    },
  }
}
