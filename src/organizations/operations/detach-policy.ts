/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html */
import type { DetachPolicyRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { detach } from '../attach.ts'
import { requireManaged, requirePolicy } from '../standing.ts'
import { requireTarget } from '../target.ts'

export const detachPolicy = writeOperation<DetachPolicyRequest, undefined>({
  service: 'organizations',
  action: 'DetachPolicy',

  async run({ tx, input, caller }) {
    const organization = await requireManaged(tx, caller.accountId)
    const policy = await requirePolicy(tx, organization, input.PolicyId)
    const target = await requireTarget(tx, organization, input.TargetId ?? '')
    await detach(tx, organization, policy, target.id)
    return undefined
  },
})
