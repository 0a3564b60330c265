/** https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html */
import type { PutKeyPolicyRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { checkPolicyName } from '../policy.ts'
import { readKeyPolicy } from '../put-policy.ts'
import { setKeyPolicy } from '../store.ts'

export const putKeyPolicy = writeOperation<PutKeyPolicyRequest, void>({
  service: 'kms',
  action: 'PutKeyPolicy',
  demands: (input, context) => onKey('PutKeyPolicy', input.KeyId, { ...context, input }),
  owesNothing: true,

  async run(call) {
    const { input, tx, caller } = call
    const key = checkNotPending(await requireKeyById(tx, call, 'PutKeyPolicy', input.KeyId))
    checkPolicyName(input.PolicyName)
    const policy = readKeyPolicy(key, caller, {
      Policy: input.Policy,
      BypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck,
    })
    await setKeyPolicy(tx, key.id, policy)
  },
})
