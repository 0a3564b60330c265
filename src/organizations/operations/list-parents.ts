/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListParents.html */
import type { ListParentsRequest, ListParentsResponse } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { checkAccountId, isUnitId } from '../organization.ts'
import { requireViewed } from '../standing.ts'
import { findMember, findUnit } from '../store.ts'

export const listParents = readOperation<ListParentsRequest, ListParentsResponse>({
  service: 'organizations',
  action: 'ListParents',

  async run({ db, input, caller }) {
    const { ChildId = '' } = input
    const organization = await requireViewed(db, caller.accountId)
    const organizationId = organization.id
    const child = isUnitId(ChildId)
      ? await findUnit(db, ChildId)
      : await findMember(db, { organizationId, accountId: checkAccountId(ChildId) })
    if (child?.organizationId !== organizationId) {
      throw new ApiError('ChildNotFoundException', "You specified a child that doesn't exist.")
    }
    const { parentId } = child
    const Type = parentId === organization.rootId ? 'ROOT' : 'ORGANIZATIONAL_UNIT'
    // Everything has one parent.
    return { Parents: [{ Id: parentId, Type }] }
  },
})
