/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html */
import type {
  ListAccountsForParentRequest,
  ListAccountsForParentResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { requireViewed, requireParent } from '../standing.ts'
import { listMembers } from '../store.ts'
import { viewMember } from '../view.ts'

export const listAccountsForParent = readOperation<
  ListAccountsForParentRequest,
  ListAccountsForParentResponse
>({
  service: 'organizations',
  action: 'ListAccountsForParent',

  async run({ db, input, caller }) {
    const { ParentId = '', NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    await requireParent(db, organization, ParentId)
    const place = { organizationId: organization.id, parentId: ParentId }
    const { items, ...next } = page(
      await listMembers(db, place),
      { MaxResults, NextToken },
      ({ accountId }) => accountId,
      pageLimits,
    )
    return { Accounts: items.map((member) => viewMember(organization, member)), ...next }
  },
})
