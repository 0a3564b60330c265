/**
 * Makes an instance profile, which hands a role to instances.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
 */
import type {
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse,
} from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { beyondQuota, quotas } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { makeEntity, newEntity } from '../make-entity.ts'
import { viewProfile } from '../profiles.ts'

export const createInstanceProfile = writeOperation<
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse
>({
  service: 'iam',
  action: 'CreateInstanceProfile',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const { accountId } = caller
    const made = newEntity(call, 'profile', input.InstanceProfileName)
    await makeEntity(tx, made)
    const { length } = await listEntities(tx, { accountId, kind: 'profile' })
    if (length > quotas.InstanceProfilesPerAccount) throw beyondQuota('InstanceProfilesPerAccount')
    return { InstanceProfile: await viewProfile(tx, made.entity, made.tags) }
  },
})
