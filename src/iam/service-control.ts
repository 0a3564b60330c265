/**
 * What an account's organization leaves of its callers' permissions: the service control
 * policies of each level from the root of the organization down to the account. They bind
 * users, roles, sessions and the root user, and nobody in the management account.
 */
import type { Database } from '../db/database.ts'
import { listInherited } from '../organizations/policy-store.ts'
import { findStanding, type Standing } from '../organizations/store.ts'
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
  return {
    isClosed: standing?.isClosed ?? false,
    find: async () => (standing ? await levelsOf(db, accountId, standing) : undefined),
  }
}

type Levels = readonly (readonly Policy[])[]

interface Known {
  readonly organizationId: string
  readonly revision: number
  readonly levels: Levels
}

/** What was read before, by account. It holds until the organization has another revision. */
const known = new WeakMap<Database, Map<string, Known>>()
const knownMax = 10_000

async function levelsOf(
  db: Database,
  accountId: string,
  { isManagement, policyTypes, organizationId, revision }: Standing,
): Promise<Levels | undefined> {
  if (isManagement || !policyTypes.includes(type)) return undefined
  const ofDatabase = known.get(db) ?? new Map<string, Known>()
  known.set(db, ofDatabase)
  const found = ofDatabase.get(accountId)
  if (found?.organizationId === organizationId && found.revision === revision) return found.levels
  const levels = await readLevels(db, accountId)
  if (ofDatabase.size >= knownMax) ofDatabase.clear()
  ofDatabase.set(accountId, { organizationId, revision, levels })
  return levels
}

async function readLevels(db: Database, accountId: string): Promise<Levels> {
  const levels = new Map<number, Policy[]>()
  for (const { height, policy } of await listInherited(db, accountId, type)) {
    const level = levels.get(height) ?? []
    levels.set(height, level)
    if (policy) level.push(compiled(policy.content, 'service control', policy.id))
  }
  return [...levels.values()]
}
