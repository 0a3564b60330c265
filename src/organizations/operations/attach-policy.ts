/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_AttachPolicy.html */
import type { AttachPolicyRequest } from '@aws-sdk/client-organizations'

import { writeOperation } from '../../wire/operation.ts'
import { attach } from '../attach.ts'
import { requireManaged, requirePolicy } from '../standing.ts'
import { requireTarget } from '../target.ts'

export const attachPolicy = writeOperation<AttachPolicyRequest, undefined>({
  service: 'organizations',
  action: 'AttachPolicy',

  async run({ tx, input, caller, now }) {
    const organization = await requireManaged(tx, caller.accountId)
    const policy = await requirePolicy(tx, organization, input.PolicyId)
    const target = await requireTarget(tx, organization, input.TargetId ?? '')
    await attach(tx, organization, policy, target.id, now)
    return undefined
  },
})
