/** The role that a call names, for a caller who may do that to it, or may take it. */
import type { Database } from '../db/database.ts'
import { findStanding } from '../organizations/store.ts'
import type { ContextEntries } from '../policies/context.ts'
import { parsePolicy } from '../policies/parse.ts'
import { policyOf } from '../policies/policy.ts'
import { type Entity, entityArn, noSuchEntity } from './entity.ts'
import { findEntity, findRoleDetails, type RoleDetails } from './entity-store.ts'
import { type Caller, requireAllowed } from './evaluate.ts'
import { requireEntity } from './find.ts'

interface Found {
  readonly role: Entity
  readonly details: RoleDetails
}

export async function requireRole(
  db: Database,
  call: { readonly caller: Caller },
  action: string,
  name: string | undefined,
): Promise<Found> {
  const role = await requireEntity(db, call, action, { kind: 'role', name })
  const details = await findRoleDetails(db, role.id)
  if (!details) throw noSuchEntity('role', role.name)
  return { role, details }
}

/** Nobody is trusted with a role that is not there, and learns no more than with one that is. */
const nobody = policyOf({
  name: 'of no role',
  id: undefined,
  version: '2012-10-17',
  statements: [],
})

/** The role of an ARN that its trust policy, and if need be the caller's own policies, let it take. */
export async function requireTrusted(
  db: Database,
  caller: Caller,
  arn: string,
  keys: ContextEntries,
  action = 'sts:AssumeRole',
): Promise<Found> {
  const { accountId = '', name = '' } =
    /^arn:aws:iam::(?<accountId>\d{12}):role\/(?:.*\/)?(?<name>[^/]+)$/.exec(arn)?.groups ?? {}
  const role = await findEntity(db, { accountId, kind: 'role', name })
  // Nobody comes into an account that is closed.
  const isIt =
    role && entityArn(role) === arn && !(await findStanding(db, role.accountId))?.isClosed
  const details = isIt ? await findRoleDetails(db, role.id) : undefined
  const policy = details ? parsePolicy(details.trustPolicy, 'trust', 'trust policy') : nobody
  const guard = { accountId: accountId || caller.accountId, policy, rulesAlone: true }
  requireAllowed(caller, { action, resource: arn }, { guard, keys })
  if (!role || !details) throw noSuchEntity('role', name)
  return { role, details }
}
