/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPolicies.html */
import type { ListPoliciesRequest, ListPoliciesResponse } from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { readPolicyType } from '../policy.ts'
import { listPolicies } from '../policy-store.ts'
import { viewSummary } from '../policy-view.ts'
import { requireViewed } from '../standing.ts'

export const listOrganizationPolicies = readOperation<ListPoliciesRequest, ListPoliciesResponse>({
  service: 'organizations',
  action: 'ListPolicies',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const type = readPolicyType(input.Filter)
    const policies = await listPolicies(db, { organizationId: organization.id, type })
    const { items, ...next } = page(policies, { MaxResults, NextToken }, ({ id }) => id, pageLimits)
    return { Policies: items.map((policy) => viewSummary(organization, policy)), ...next }
  },
})
