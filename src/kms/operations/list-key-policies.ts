/**
 * The names of a key's policies, of which there is always the one.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html
 */
import type { ListKeyPoliciesRequest, ListKeyPoliciesResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { policyName } from '../policy.ts'

export const listKeyPolicies = readOperation<ListKeyPoliciesRequest, ListKeyPoliciesResponse>({
  service: 'kms',
  action: 'ListKeyPolicies',
  demands: (input, context) => onKey('ListKeyPolicies', input.KeyId, { ...context, input }),

  async run(call) {
    await requireKeyById(call.db, call, 'ListKeyPolicies', call.input.KeyId)
    return { PolicyNames: [policyName], Truncated: false }
  },
})
