/** Keeps what organizations promise: accounts that were asked for come, and those that are closed come to rest. */
import { type Connections, transaction, type Tx } from '../db/database.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import { endFastRestores, stopAll } from './close.ts'
import { type Maker, openAccount } from './open-account.ts'
import type { AccountOutcome } from './organization.ts'
import { completeAccountRequest, findAccountRequest, listDueRequests } from './request-store.ts'
import {
  findOrganization,
  listClosing,
  listMembers,
  lockOrganization,
  setClosure,
} from './store.ts'

export function accountReconciler({
  db,
  now,
  ...parts
}: Omit<Maker, 'now'> & {
  readonly db: Connections
  readonly now: () => Date
}): Reconciler {
  const make = async (tx: Tx, id: string): Promise<StepOutcome> => {
    const request = await findAccountRequest(tx, { id })
    const organization = request && (await findOrganization(tx, request.organizationId))
    if (!organization || request.outcome) return 'waiting'
    if (!(await lockOrganization(tx, organization.id))) return 'waiting'
    const at = now()
    const members = await listMembers(tx, { organizationId: organization.id })
    const email = request.email.toLowerCase()
    const outcome: AccountOutcome = members.some((member) => member.email.toLowerCase() === email)
      ? { completedAt: at, failureReason: 'EMAIL_ALREADY_EXISTS' }
      : {
          completedAt: at,
          accountId: await openAccount(tx, organization, request, { ...parts, now: at }),
        }
    await completeAccountRequest(tx, id, outcome)
    return 'moved'
  }
  const close = async (tx: Tx, accountId: string): Promise<StepOutcome> => {
    await endFastRestores(tx, accountId, now())
    if (!(await stopAll(tx, accountId, now()))) return 'waiting'
    await setClosure(tx, accountId, { from: 'pending', to: 'done' })
    return 'moved'
  }
  return {
    name: 'accounts',
    stepsAtOnceMax: 2,
    due: async () => [...(await listDueRequests(db.reads)), ...(await listClosing(db.reads))],
    step: (key) =>
      transaction(db.writes, (tx) => (key.startsWith('car-') ? make(tx, key) : close(tx, key))),
    async giveUp(key) {
      if (!key.startsWith('car-')) return
      await transaction(db.writes, (tx) =>
        completeAccountRequest(tx, key, { completedAt: now(), failureReason: 'INTERNAL_FAILURE' }),
      )
    },
  }
}
