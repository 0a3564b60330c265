/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListChildren.html */
import type { ListChildrenRequest, ListChildrenResponse } from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { requireViewed, requireParent } from '../standing.ts'
import { listMembers, listUnits } from '../store.ts'

export const listChildren = readOperation<ListChildrenRequest, ListChildrenResponse>({
  service: 'organizations',
  action: 'ListChildren',

  async run({ db, input, caller }) {
    const { ParentId = '', ChildType, NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    if (ChildType !== 'ACCOUNT' && ChildType !== 'ORGANIZATIONAL_UNIT') {
      throw new ApiError(
        'InvalidInputException',
        'ChildType must be ACCOUNT or ORGANIZATIONAL_UNIT.',
        {
          reason: 'INVALID_ENUM',
        },
      )
    }
    const organization = await requireViewed(db, caller.accountId)
    await requireParent(db, organization, ParentId)
    const place = { organizationId: organization.id, parentId: ParentId }
    const ids =
      ChildType === 'ACCOUNT'
        ? (await listMembers(db, place)).map(({ accountId }) => accountId)
        : (await listUnits(db, place)).map(({ id }) => id)
    const { items, ...next } = page(ids, { MaxResults, NextToken }, (id) => id, pageLimits)
    return { Children: items.map((Id) => ({ Id, Type: ChildType })), ...next }
  },
})
