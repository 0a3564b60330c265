/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListTargetsForPolicy.html */
import type {
  ListTargetsForPolicyRequest,
  ListTargetsForPolicyResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { listAttachments } from '../policy-store.ts'
import { requireViewed, requirePolicy } from '../standing.ts'
import { requireTarget } from '../target.ts'

export const listTargetsForPolicy = readOperation<
  ListTargetsForPolicyRequest,
  ListTargetsForPolicyResponse
>({
  service: 'organizations',
  action: 'ListTargetsForPolicy',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const { id: policyId } = await requirePolicy(db, organization, input.PolicyId)
    const attached = await listAttachments(db, { organizationId: organization.id, policyId })
    const { items, ...next } = page(
      attached,
      { MaxResults, NextToken },
      ({ targetId }) => targetId,
      pageLimits,
    )
    const targets = []
    for (const { targetId } of items) {
      const { id, type, arn, name } = await requireTarget(db, organization, targetId)
      targets.push({ TargetId: id, Arn: arn, Name: name, Type: type })
    }
    return { Targets: targets, ...next }
  },
})
