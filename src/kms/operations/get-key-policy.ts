/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
import type { GetKeyPolicyRequest, GetKeyPolicyResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkPolicyName, policyName, policyOf } from '../policy.ts'

export const getKeyPolicy = readOperation<GetKeyPolicyRequest, GetKeyPolicyResponse>({
  service: 'kms',
  action: 'GetKeyPolicy',
  demands: (input, context) => onKey('GetKeyPolicy', input.KeyId, { ...context, input }),

  async run(call) {
    const { db, input } = call
    const key = await requireKeyById(db, call, 'GetKeyPolicy', input.KeyId)
    checkPolicyName(input.PolicyName)
    return { Policy: policyOf(key), PolicyName: policyName }
  },
})
