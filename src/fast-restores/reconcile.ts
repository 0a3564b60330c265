/**
 * Makes the base of a snapshot ready before its first volume. The row names the
 * base from the beginning, so that no garbage collection takes it away again.
 */
import { type Connections, transaction } from '../db/database.ts'
import { isKeyUnusable, keyTroubleCode } from '../kms/key-trouble.ts'
import type { Log } from '../lib/log.ts'
import { messageOf } from '../lib/message-of.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import { findSnapshot } from '../snapshots/store.ts'
import type { Bases } from '../volumes/bases.ts'
import {
  endings,
  type FastRestore,
  type FastRestoreState,
  formatKey,
  parseKey,
} from './fast-restore.ts'
import { changeFastRestore, findFastRestore, listFastRestoresInState } from './store.ts'

/** Where each state goes on to by itself. */
const next: Readonly<Partial<Record<FastRestoreState, FastRestoreState>>> = {
  enabling: 'optimizing',
  optimizing: 'enabled',
  disabling: 'disabled',
}

export function fastRestoreReconciler({
  db,
  bases,
  now,
  log,
}: {
  readonly db: Connections
  readonly bases: Pick<Bases, 'ensure'>
  readonly now: () => Date
  readonly log: Log
}): Reconciler {
  const go = async (
    restore: FastRestore,
    state: FastRestoreState,
    reason?: string,
  ): Promise<StepOutcome> => {
    const times = { ...restore.times, [state]: now() }
    const isDone = await transaction(db.writes, (tx) =>
      changeFastRestore(tx, restore, { state, times, ...(reason !== undefined && { reason }) }),
    )
    return isDone ? 'moved' : 'waiting'
  }
  return {
    name: 'fast-restores',
    stepsAtOnceMax: 2,
    async due() {
      const owed = await listFastRestoresInState(db.reads, ['enabling', 'optimizing', 'disabling'])
      return owed.map(formatKey)
    },
    async step(key) {
      const restore = await findFastRestore(db.writes, parseKey(key))
      const to = restore && next[restore.state]
      if (!to) return 'waiting'
      if (restore.state === 'optimizing') {
        const snapshot = await findSnapshot(db.writes, restore.snapshotId)
        if (snapshot?.state !== 'completed') return await go(restore, 'disabled', endings.notUsable)
        const { manifest, kmsKeyArn } = snapshot
        await bases.ensure({ base: { manifest, keyId: kmsKeyArn }, storedKeyArn: kmsKeyArn })
      }
      // Why it is on its way out is why it is out.
      return await go(restore, to, restore.reason)
    },
    async giveUp(key, error) {
      log.error('a base could not be made ready', { key, error })
      const restore = await findFastRestore(db.writes, parseKey(key))
      const why = isKeyUnusable(error) ? `${keyTroubleCode} - ${messageOf(error)}` : endings.failed
      if (restore?.state === 'optimizing') await go(restore, 'disabled', why)
    },
  }
}
