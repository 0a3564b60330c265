/** Where a caller stands: the organization it is in, and whether it may manage it. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import {
  checkParentId,
  notInUse,
  type Organization,
  parentNotFound,
  type Unit,
} from './organization.ts'
import { findOrganizationOf, findUnit } from './store.ts'

/** The organization that an account is in. */
export async function requireOrganization(db: Database, accountId: string): Promise<Organization> {
  const organization = await findOrganizationOf(db, accountId)
  if (organization) return organization
  throw notInUse()
}

/** The organization that an account manages. Its members may not look around in it. */
export async function requireManaged(db: Database, accountId: string): Promise<Organization> {
  const organization = await requireOrganization(db, accountId)
  if (organization.managementAccountId === accountId) return organization
  throw new ApiError('AccessDeniedException', "You don't have permissions to access this resource.")
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

/** How many units are above a place, itself counted: none for the root. */
export async function depthOf(db: Database, place: 'root' | Unit): Promise<number> {
  let depth = 0
  for (let unit = place === 'root' ? undefined : place; unit; depth++) {
    unit = await findUnit(db, unit.parentId)
  }
  return depth
}
