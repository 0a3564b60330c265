/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DeleteOrganizationalUnit.html */
import type { DeleteOrganizationalUnitRequest } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { deleteAttachmentsOf } from '../policy-store.ts'
import { requireManaged, requireUnit } from '../standing.ts'
import { deleteUnit, listMembers, listUnits } from '../store.ts'
import { setTags } from '../tag-store.ts'

export const deleteOrganizationalUnit = writeOperation<DeleteOrganizationalUnitRequest, undefined>({
  service: 'organizations',
  action: 'DeleteOrganizationalUnit',

  async run({ tx, input, caller }) {
    const { OrganizationalUnitId: parentId = '' } = input
    const organization = await requireManaged(tx, caller.accountId)
    const organizationId = organization.id
    await requireUnit(tx, organization, parentId)
    const place = { organizationId, parentId }
    const children = [...(await listUnits(tx, place)), ...(await listMembers(tx, place))]
    if (children.length > 0) {
      throw new ApiError(
        'OrganizationalUnitNotEmptyException',
        'The specified OU is not empty. Move all accounts to another root or to other OUs, ' +
          'remove all child OUs, and try the operation again.',
      )
    }
    await deleteAttachmentsOf(tx, parentId)
    await setTags(tx, { organizationId, resourceId: parentId }, [])
    await deleteUnit(tx, parentId)
    return undefined
  },
})
