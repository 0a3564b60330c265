/**
 * What an account's organization leaves of its callers' permissions: the service control
 * policies of each level from the root of the organization down to the account. They bind
 * users, roles, sessions and the root user, and nobody in the management account.
 */
import type { Database } from '../db/database.ts'
import { listInherited } from '../organizations/policy-store.ts'
import { findStanding, listAbove, type Standing } from '../organizations/store.ts'
import type { ContextEntries } from '../policies/context.ts'
import type { Policies } from '../policies/decide.ts'
import type { Policy } from '../policies/policy.ts'
import { compiled } from './policies-of.ts'

/** What its organization makes of the callers of an account. */
export interface Bounds {
  /** Nobody calls as an account that is closed. */
  readonly isClosed: boolean
  readonly find: () => Promise<Policies['serviceControl']>
  /** The condition keys that say where the account is. */
  readonly keys: ContextEntries
}

const type = 'SERVICE_CONTROL_POLICY'

export async function boundsOf(db: Database, accountId: string): Promise<Bounds> {
  const standing = await findStanding(db, accountId)
  if (!standing) return { isClosed: false, find: async () => undefined, keys: {} }
  const { isClosed, organizationId } = standing
  const { levels, path } = await placeOf(db, accountId, standing)
  return {
    isClosed,
    find: async () => levels,
    keys: { 'aws:PrincipalOrgID': organizationId, 'aws:PrincipalOrgPaths': [path] },
  }
}

type Levels = readonly (readonly Policy[])[]

interface AccountPlace {
  readonly organizationId: string
  readonly revision: number
  /** Nothing where no service control policy binds the account. */
  readonly levels: Levels | undefined
  /** `o-…/r-…/ou-…/`: the organization, its root and the units down to the account. */
  readonly path: string
}

/** What was read before, by account. It holds until the organization has another revision. */
const known = new WeakMap<Database, Map<string, AccountPlace>>()
const knownMax = 10_000

async function placeOf(
  db: Database,
  accountId: string,
  { isManagement, policyTypes, organizationId, revision }: Standing,
): Promise<AccountPlace> {
  const ofDatabase = known.get(db) ?? new Map<string, AccountPlace>()
  known.set(db, ofDatabase)
  const found = ofDatabase.get(accountId)
  if (found?.organizationId === organizationId && found.revision === revision) return found
  const isFree = isManagement || !policyTypes.includes(type)
  const levels = isFree ? undefined : await readLevels(db, accountId)
  const above = await listAbove(db, accountId)
  const path = `${[organizationId, ...above].join('/')}/`
  const place = { organizationId, revision, levels, path }
  if (ofDatabase.size >= knownMax) ofDatabase.clear()
  ofDatabase.set(accountId, place)
  return place
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
