/**
 * Makes a managed policy, which can be attached to many.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
 */
import type { CreatePolicyRequest, CreatePolicyResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { unsupportedParameter } from '../../lib/errors.ts'
import { checkName, checkPath, entityArn, newEntityId } from '../entity.ts'
import { requireAllowed } from '../evaluate.ts'
import { viewPolicy } from '../find-managed.ts'
import { makePolicy } from '../write-policy.ts'

export const createPolicy = writeOperation<CreatePolicyRequest, CreatePolicyResponse>({
  service: 'iam',
  action: 'CreatePolicy',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
    if (input.Tags) throw unsupportedParameter('Tags')
    const entity = {
      id: newEntityId('policy', randomBytes),
      accountId: caller.accountId,
      kind: 'policy',
      name: checkName('policy', input.PolicyName ?? '', 'policyName'),
      path: checkPath(input.Path ?? '/'),
      createdAt: now,
      boundaryArn: undefined,
    } as const
    const arn = entityArn(entity)
    requireAllowed(caller, { action: 'iam:CreatePolicy', resource: arn })
    const { Description: description, PolicyDocument: document = '' } = input
    const details = await makePolicy(tx, entity, { description, document })
    const counts = { AttachmentCount: 0, PermissionsBoundaryUsageCount: 0 }
    return { Policy: { ...viewPolicy({ arn, isOfAws: false, entity, details }), ...counts } }
  },
})
