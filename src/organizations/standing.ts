/** Where a caller stands: the organization it is in, and whether it may manage it. */
import type { Database, Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import {
  accountNotFound,
  checkParentId,
  invalidInput,
  isRootId,
  type Member,
  notInUse,
  type Organization,
  parentNotFound,
  type Unit,
  unitNotFound,
} from './organization.ts'
import { checkPolicyId, type OrganizationPolicy, policyNotFound } from './policy.ts'
import { findPolicy } from './policy-store.ts'
import { listDelegations } from './service-store.ts'
import { findMember, findOrganizationOf, findUnit, lockOrganization } from './store.ts'

/** The organization that an account is in. */
export async function requireOrganization(db: Database, accountId: string): Promise<Organization> {
  const organization = await findOrganizationOf(db, accountId)
  if (organization) return organization
  throw notInUse()
}

/**
 * The organization that an account manages, for a call that changes something in it: such
 * calls wait for each other, so that what one has counted and looked at stays so.
 */
export async function requireManaged(tx: Tx, accountId: string): Promise<Organization> {
  const organization = await requireOrganization(tx, accountId)
  if (organization.managementAccountId !== accountId) throw accessDenied()
  return await locked(tx, organization)
}

/** The organization, which nobody else changes until the transaction ends. */
export async function locked(tx: Tx, organization: Organization): Promise<Organization> {
  if (await lockOrganization(tx, organization.id)) return organization
  throw notInUse()
}

/** For who only looks around: administrators of services may, too. Members may not. */
export async function requireViewed(db: Database, accountId: string): Promise<Organization> {
  const organization = await requireOrganization(db, accountId)
  if (organization.managementAccountId === accountId) return organization
  if (await isAdministrator(db, organization, accountId)) return organization
  throw accessDenied()
}

const accessDenied = (): ApiError =>
  new ApiError('AccessDeniedException', "You don't have permissions to access this resource.")

/** Whether an account may do for a service, or for any, what the management account may. */
export async function isAdministrator(
  db: Database,
  { id }: Organization,
  accountId: string,
  principal?: string,
): Promise<boolean> {
  const delegations = await listDelegations(db, id)
  return delegations.some(
    (one) => one.accountId === accountId && (principal ?? one.principal) === one.principal,
  )
}

/** The root, or a unit of the organization. */
export async function requireParent(
  db: Database,
  organization: Organization,
  id: string,
  notFound: () => ApiError = parentNotFound,
): Promise<'root' | Unit> {
  if (checkParentId(id) === organization.rootId) return 'root'
  const unit = await findUnit(db, id)
  if (unit?.organizationId === organization.id) return unit
  throw notFound()
}

export async function requireUnit(
  db: Database,
  organization: Organization,
  id: string,
): Promise<Unit> {
  const unit = await requireParent(db, organization, id, unitNotFound)
  if (unit === 'root') throw unitNotFound()
  return unit
}

export async function requireMember(
  db: Database,
  organization: Organization,
  accountId: string,
): Promise<Member> {
  const member = await findMember(db, { organizationId: organization.id, accountId })
  if (member) return member
  throw accountNotFound()
}

export async function requirePolicy(
  db: Database,
  organization: Organization,
  id: string | undefined,
): Promise<OrganizationPolicy> {
  const query = { organizationId: organization.id, id: checkPolicyId(id ?? '') }
  const policy = await findPolicy(db, query)
  if (policy) return policy
  throw policyNotFound()
}

/** Policies are for organizations that have more than their bills in common. */
export function requireAllFeatures({ featureSet }: Organization): void {
  if (featureSet === 'ALL') return
  throw new ApiError(
    'PolicyTypeNotAvailableForOrganizationException',
    "You can't use the specified policy type with the feature set currently enabled for this organization.",
  )
}

export function requireRoot({ rootId }: Organization, id: string | undefined): void {
  if (!isRootId(id ?? '')) {
    throw invalidInput('You provided a value that does not match the required pattern.')
  }
  if (id === rootId) return
  throw new ApiError('RootNotFoundException', "You specified a root that doesn't exist.")
}

/** How many units are above a place, itself counted: none for the root. */
export async function depthOf(db: Database, place: 'root' | Unit): Promise<number> {
  let depth = 0
  for (let unit = place === 'root' ? undefined : place; unit; depth++) {
    unit = await findUnit(db, unit.parentId)
  }
  return depth
}
