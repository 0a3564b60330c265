/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribePolicy.html */
import type { DescribePolicyRequest, DescribePolicyResponse } from '@aws-sdk/client-organizations'

import { readOperation } from '../../wire/operation.ts'
import { viewPolicy } from '../policy-view.ts'
import { requireViewed, requirePolicy } from '../standing.ts'

export const describeOrganizationPolicy = readOperation<
  DescribePolicyRequest,
  DescribePolicyResponse
>({
  service: 'organizations',
  action: 'DescribePolicy',

  async run({ db, input, caller }) {
    const organization = await requireViewed(db, caller.accountId)
    const policy = await requirePolicy(db, organization, input.PolicyId)
    return { Policy: viewPolicy(organization, policy) }
  },
})
