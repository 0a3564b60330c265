/** What a policy is attached to, and what has tags: a root, a unit or an account, and policies too. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import {
  accountArn,
  invalidInput,
  isRootId,
  isUnitId,
  type Organization,
  rootArn,
  unitArn,
} from './organization.ts'
import { isManaged, isPolicyId } from './policy.ts'
import { findPolicy } from './policy-store.ts'
import { findMember, findUnit } from './store.ts'

export interface Target {
  readonly id: string
  readonly type: 'ROOT' | 'ORGANIZATIONAL_UNIT' | 'ACCOUNT'
  readonly arn: string
  readonly name: string
}

/** Nothing where the organization has none of this id. */
export async function findTarget(
  db: Database,
  organization: Organization,
  id: string,
): Promise<Target | undefined> {
  if (id === organization.rootId) {
    return { id, type: 'ROOT', arn: rootArn(organization), name: 'Root' }
  }
  if (isUnitId(id)) {
    const unit = await findUnit(db, id)
    if (unit?.organizationId !== organization.id) return undefined
    return { id, type: 'ORGANIZATIONAL_UNIT', arn: unitArn(organization, id), name: unit.name }
  }
  const member = await findMember(db, { organizationId: organization.id, accountId: id })
  return member && { id, type: 'ACCOUNT', arn: accountArn(organization, id), name: member.name }
}

export async function requireTarget(
  db: Database,
  organization: Organization,
  id: string,
): Promise<Target> {
  if (!isRootId(id) && !isUnitId(id) && !/^\d{12}$/.test(id)) throw noTargetId()
  const target = await findTarget(db, organization, id)
  if (target) return target
  throw targetNotFound()
}

/** Refuses the id of nothing that can have tags. */
export async function requireTaggable(
  db: Database,
  organization: Organization,
  id: string,
): Promise<{ readonly organizationId: string; readonly resourceId: string }> {
  const organizationId = organization.id
  if (isPolicyId(id)) {
    const policy = await findPolicy(db, { organizationId, id })
    if (!policy || isManaged(policy)) throw targetNotFound()
  } else await requireTarget(db, organization, id)
  return { organizationId, resourceId: id }
}

const noTargetId = (): ApiError =>
  invalidInput('You provided a value that does not match the required pattern.')

export const targetNotFound = (): ApiError =>
  new ApiError(
    'TargetNotFoundException',
    "We can't find a root, OU, account, or policy with the TargetId that you specified.",
  )
