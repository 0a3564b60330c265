/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html */
import type { GetKeyPolicyRequest, GetKeyPolicyResponse } from '@aws-sdk/client-kms'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { defaultPolicy, policyName } from '../policy.ts'

export const getKeyPolicy = readOperation<GetKeyPolicyRequest, GetKeyPolicyResponse>({
  service: 'kms',
  action: 'GetKeyPolicy',
  permissions: ({ KeyId }, context) => onKey('GetKeyPolicy', KeyId, context),

  async run(call) {
    const { db, input } = call
    const key = await requireKeyById(db, call, 'GetKeyPolicy', input.KeyId)
    const { PolicyName = policyName } = input
    if (PolicyName !== policyName)
      throw new ApiError('NotFoundException', `No such policy exists: ${PolicyName.slice(0, 128)}`)
    return { Policy: defaultPolicy(key), PolicyName }
  },
})
