/**
 * Makes a managed policy, which can be attached to many.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
 */
import type { CreatePolicyRequest, CreatePolicyResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { tagsOfRequest } from '../ec2-resources.ts'
import { checkName, checkPath, entityArn, newEntityId } from '../entity.ts'
import { requireAllowed } from '../evaluate.ts'
import { viewPolicy } from '../find-managed.ts'
import { readEntityTags, viewEntityTags } from '../tag-rules.ts'
import { putEntityTags } from '../tag-store.ts'
import { makePolicy } from '../write-policy.ts'

export const createPolicy = writeOperation<CreatePolicyRequest, CreatePolicyResponse>({
  service: 'iam',
  action: 'CreatePolicy',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
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
    const tags = readEntityTags(input.Tags)
    const keys = tags.length > 0 ? tagsOfRequest(tags) : {}
    requireAllowed(caller, { action: 'iam:CreatePolicy', resource: arn }, { keys })
    if (tags.length > 0) {
      requireAllowed(caller, { action: 'iam:TagPolicy', resource: arn }, { keys })
    }
    const { Description: description, PolicyDocument: document = '' } = input
    const details = await makePolicy(tx, entity, { description, document })
    await putEntityTags(tx, entity.id, tags)
    const counts = { AttachmentCount: 0, PermissionsBoundaryUsageCount: 0 }
    const Tags = tags.length > 0 ? { Tags: viewEntityTags(tags) } : {}
    const Policy = { ...viewPolicy({ arn, isOfAws: false, entity, details }), ...counts, ...Tags }
    return { Policy }
  },
})
