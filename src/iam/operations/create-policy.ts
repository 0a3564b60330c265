/**
 * Makes a managed policy, which can be attached to many.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
 */
import type { CreatePolicyRequest, CreatePolicyResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { entityArn } from '../entity.ts'
import { viewPolicy } from '../find-managed.ts'
import { newEntity } from '../make-entity.ts'
import { viewEntityTags } from '../tag-rules.ts'
import { putEntityTags } from '../tag-store.ts'
import { makePolicy } from '../write-policy.ts'

export const createPolicy = writeOperation<CreatePolicyRequest, CreatePolicyResponse>({
  service: 'iam',
  action: 'CreatePolicy',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input } = call
    const { entity, tags } = newEntity(call, 'policy', input.PolicyName)
    const arn = entityArn(entity)
    const { Description: description, PolicyDocument: document = '' } = input
    const details = await makePolicy(tx, entity, { description, document })
    await putEntityTags(tx, entity.id, tags)
    const counts = { AttachmentCount: 0, PermissionsBoundaryUsageCount: 0 }
    const Tags = tags.length > 0 ? { Tags: viewEntityTags(tags) } : {}
    const Policy = { ...viewPolicy({ arn, isOfAws: false, entity, details }), ...counts, ...Tags }
    return { Policy }
  },
})
