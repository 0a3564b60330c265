/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html */
import type { ListAccountsRequest, ListAccountsResponse } from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { requireViewed } from '../standing.ts'
import { listMembers } from '../store.ts'
import { viewMember } from '../view.ts'

export const listOrganizationAccounts = readOperation<ListAccountsRequest, ListAccountsResponse>({
  service: 'organizations',
  action: 'ListAccounts',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const members = await listMembers(db, { organizationId: organization.id })
    const { items, ...next } = page(
      members,
      { MaxResults, NextToken },
      ({ accountId }) => accountId,
      pageLimits,
    )
    return { Accounts: items.map((member) => viewMember(organization, member)), ...next }
  },
})
