/**
 * What an account's organization leaves of its callers' permissions: the service control
 * policies of each level from the root of the organization down to the account. They bind
 * users, roles, sessions and the root user, and nobody in the management account.
 */
import type { Database } from '../db/database.ts'
import { listInherited } from '../organizations/policy-store.ts'
import { findStanding } from '../organizations/store.ts'
import type { Policies } from '../policies/decide.ts'
import type { Policy } from '../policies/policy.ts'
import { compiled } from './policies-of.ts'

/** Whether the account is closed, so that nobody calls as it any more. */
export interface Bounds {
  readonly isClosed: boolean
  readonly find: () => Promise<Policies['serviceControl']>
}

const type = 'SERVICE_CONTROL_POLICY'

export async function boundsOf(db: Database, accountId: string): Promise<Bounds> {
  const standing = await findStanding(db, accountId)
  const isFree = !standing || standing.isManagement || !standing.policyTypes.includes(type)
  return {
    isClosed: standing?.isClosed ?? false,
    find: async () => (isFree ? undefined : await readLevels(db, accountId)),
  }
}

async function readLevels(
  db: Database,
  accountId: string,
): Promise<readonly (readonly Policy[])[]> {
  const levels = new Map<number, Policy[]>()
  for (const { height, policy } of await listInherited(db, accountId, type)) {
    const level = levels.get(height) ?? []
    levels.set(height, level)
    if (policy) level.push(compiled(policy.content, 'service control', policy.id))
  }
  return [...levels.values()]
}
