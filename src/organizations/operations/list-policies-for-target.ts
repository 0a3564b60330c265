/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPoliciesForTarget.html */
import type {
  ListPoliciesForTargetRequest,
  ListPoliciesForTargetResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { readPolicyType } from '../policy.ts'
import { listAttachments, listPolicies } from '../policy-store.ts'
import { viewSummary } from '../policy-view.ts'
import { requireViewed } from '../standing.ts'
import { requireTarget } from '../target.ts'

export const listPoliciesForTarget = readOperation<
  ListPoliciesForTargetRequest,
  ListPoliciesForTargetResponse
>({
  service: 'organizations',
  action: 'ListPoliciesForTarget',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const organizationId = organization.id
    const type = readPolicyType(input.Filter)
    const { id: targetId } = await requireTarget(db, organization, input.TargetId ?? '')
    const attached = await listAttachments(db, { organizationId, targetId, type })
    const policies = (await listPolicies(db, { organizationId, type })).filter(({ id }) =>
      attached.some(({ policyId }) => policyId === id),
    )
    const { items, ...next } = page(policies, { MaxResults, NextToken }, ({ id }) => id, pageLimits)
    return { Policies: items.map((policy) => viewSummary(organization, policy)), ...next }
  },
})
