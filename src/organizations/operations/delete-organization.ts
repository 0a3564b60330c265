/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeleteOrganization.html */
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { replaceDeclared } from '../declared-store.ts'
import { deletePoliciesOf } from '../policy-store.ts'
import { deleteAccountRequests, listAccountRequests } from '../request-store.ts'
import { deleteServicesOf } from '../service-store.ts'
import { requireManaged } from '../standing.ts'
import { deleteOrganizationRows, listMembers } from '../store.ts'
import { deleteAllTags } from '../tag-store.ts'

export const deleteOrganization = writeOperation<object, undefined>({
  service: 'organizations',
  action: 'DeleteOrganization',

  async run({ tx, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    const members = await listMembers(tx, { organizationId })
    const requests = await listAccountRequests(tx, organizationId)
    if (members.length > 1 || requests.some(({ outcome }) => !outcome)) {
      throw new ApiError(
        'OrganizationNotEmptyException',
        "The organization isn't empty. To delete an organization, you must first remove all " +
          'accounts except the management account.',
      )
    }
    await replaceDeclared(tx, organizationId, new Map())
    await deleteServicesOf(tx, organizationId)
    await deletePoliciesOf(tx, organizationId)
    await deleteAllTags(tx, organizationId)
    await deleteAccountRequests(tx, organizationId)
    await deleteOrganizationRows(tx, organizationId)
    return undefined
  },
})
