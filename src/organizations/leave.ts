/** Takes an account out of its organization. It stands alone then, and all that it has is its own as before. */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { redeclare } from './declared.ts'
import type { Member, Organization } from './organization.ts'
import { deleteAttachmentsOf } from './policy-store.ts'
import { listDelegations } from './service-store.ts'
import { deleteMember } from './store.ts'
import { setTags } from './tag-store.ts'

export async function leave(
  tx: Tx,
  { id: organizationId, managementAccountId }: Organization,
  { accountId, closure }: Member,
): Promise<void> {
  if (accountId === managementAccountId) {
    throw new ApiError(
      'MasterCannotLeaveOrganizationException',
      "You can't remove a management account from an organization.",
    )
  }
  // That it is closed is known of the organization alone.
  if (closure) {
    throw new ApiError(
      'ConstraintViolationException',
      "You can't remove an account that is closed.",
      { reason: 'ACCOUNT_CANNOT_LEAVE_ORGANIZATION' },
    )
  }
  const delegations = await listDelegations(tx, organizationId)
  if (delegations.some((one) => one.accountId === accountId)) {
    throw new ApiError(
      'ConstraintViolationException',
      "You can't remove an account that is a delegated administrator of a service.",
      { reason: 'CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG' },
    )
  }
  await deleteAttachmentsOf(tx, accountId)
  await setTags(tx, { organizationId, resourceId: accountId }, [])
  await deleteMember(tx, accountId)
  await redeclare(tx, organizationId)
}
