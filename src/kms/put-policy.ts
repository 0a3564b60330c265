/** The policy that a call gives to a key. */
import type { Caller } from '../iam/evaluate.ts'
import { ApiError } from '../lib/errors.ts'
import { parsePolicy } from '../policies/parse.ts'
import { policyKinds } from '../policies/policy.ts'
import { mayUse } from './access.ts'
import { constraint, type Key } from './key.ts'

/** Refuses what is no policy of a key, and one after which nobody who asks could put another. */
export function readKeyPolicy(
  key: Key,
  caller: Caller,
  input: {
    readonly Policy: string | undefined
    readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined
  },
): string {
  const { Policy: policy = '' } = input
  if (policy === '') throw constraint('policy', 'have length greater than or equal to 1', '')
  const { lengthMax } = policyKinds.key
  if (policy.length > lengthMax) {
    throw new ApiError('LimitExceededException', `A key policy has at most ${lengthMax} bytes.`)
  }
  parsePolicy(policy, 'key')
  if (input.BypassPolicyLockoutSafetyCheck) return policy
  if (mayUse({ ...key, policy }, { caller, action: 'PutKeyPolicy' })) return policy
  throw new ApiError(
    'MalformedPolicyDocumentException',
    'The new key policy will not allow you to update the key policy in the future.',
  )
}
