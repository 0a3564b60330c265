/**
 * Tells of a managed policy; its document is that of its default version.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html
 */
import type { GetPolicyRequest, GetPolicyResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { countUses, findManaged, viewPolicy } from '../find-managed.ts'
import { viewEntityTags } from '../tag-rules.ts'
import { listEntityTags } from '../tag-store.ts'

export const getPolicy = readOperation<GetPolicyRequest, GetPolicyResponse>({
  service: 'iam',
  action: 'GetPolicy',
  demands: () => [],

  async run(call) {
    const { db, input, caller } = call
    const found = await findManaged(db, call, 'GetPolicy', input.PolicyArn)
    const Description = found.isOfAws ? undefined : found.details.description
    const counts = await countUses(db, found.arn, caller.accountId)
    const tags = found.isOfAws ? [] : await listEntityTags(db, found.entity.id)
    const Tags = tags.length > 0 ? { Tags: viewEntityTags(tags) } : {}
    return {
      Policy: { ...Tags, ...viewPolicy(found), ...counts, ...(Description && { Description }) },
    }
  },
})
