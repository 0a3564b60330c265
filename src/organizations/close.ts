/**
 * What becomes of what an account has when it is closed: machines are stopped, bases are
 * kept ready no longer, and nothing is deleted. Nobody could do so any more who calls as the account.
 */
import type { Database, Tx } from '../db/database.ts'
import { statesOn } from '../fast-restores/fast-restore.ts'
import { changeFastRestore, listFastRestoresInState } from '../fast-restores/store.ts'
import { userInitiated } from '../instances/cause.ts'
import { hasHostRoot } from '../instances/instance-store.ts'
import { changeInstanceState, listByState } from '../instances/store.ts'
import { ApiError } from '../lib/errors.ts'

const live = ['pending', 'running', 'stopping', 'shutting-down'] as const

/** Refuses to close an account with a machine that would lose its disk. */
export async function requireStoppable(db: Database, accountId: string): Promise<void> {
  const running = await listByState(db, ['pending', 'running'])
  const bound = running.find((one) => one.accountId === accountId && hasHostRoot(one))
  if (!bound) return
  throw new ApiError(
    'ConflictException',
    `The instance ${bound.id} has its disk on the host and cannot be stopped. Terminate it first.`,
  )
}

/** Stops what runs. Tells whether nothing runs any more. */
export async function stopAll(tx: Tx, accountId: string, now: Date): Promise<boolean> {
  const all = await listByState(tx, live)
  const own = all.filter((one) => one.accountId === accountId)
  for (const { id, state } of own) {
    if (state !== 'running') continue
    const cause = userInitiated(now)
    await changeInstanceState(tx, { id, from: 'running', to: 'stopping', at: now, cause })
  }
  return own.length === 0
}

/** Ends the fast restores that the account has, of its own snapshots and of others'. */
export async function endFastRestores(tx: Tx, accountId: string, now: Date): Promise<void> {
  for (const restore of await listFastRestoresInState(tx, statesOn)) {
    if (restore.accountId !== accountId) continue
    const times = { ...restore.times, disabling: now }
    await changeFastRestore(tx, restore, { state: 'disabling', times })
  }
}
