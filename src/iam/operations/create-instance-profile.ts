/**
 * Makes an instance profile, which hands a role to instances.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateInstanceProfile.html
 */
import type {
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse,
} from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { tagsOfRequest } from '../ec2-resources.ts'
import {
  beyondQuota,
  checkName,
  checkPath,
  entityArn,
  entityExists,
  newEntityId,
  quotas,
} from '../entity.ts'
import { insertEntity, listEntities } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { viewProfile } from '../profiles.ts'
import { readEntityTags } from '../tag-rules.ts'
import { putEntityTags } from '../tag-store.ts'

export const createInstanceProfile = writeOperation<
  CreateInstanceProfileRequest,
  CreateInstanceProfileResponse
>({
  service: 'iam',
  action: 'CreateInstanceProfile',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
    const { accountId } = caller
    const profile = {
      id: newEntityId('profile', randomBytes),
      accountId,
      kind: 'profile',
      name: checkName('profile', input.InstanceProfileName ?? '', 'instanceProfileName'),
      path: checkPath(input.Path ?? '/'),
      createdAt: now,
      boundaryArn: undefined,
    } as const
    const tags = readEntityTags(input.Tags)
    const keys = tags.length > 0 ? tagsOfRequest(tags) : {}
    const resource = entityArn(profile)
    requireAllowed(caller, { action: 'iam:CreateInstanceProfile', resource }, { keys })
    if (tags.length > 0) {
      requireAllowed(caller, { action: 'iam:TagInstanceProfile', resource }, { keys })
    }
    if (!(await insertEntity(tx, profile))) throw entityExists('profile', profile.name)
    const { length } = await listEntities(tx, { accountId, kind: 'profile' })
    if (length > quotas.InstanceProfilesPerAccount) throw beyondQuota('InstanceProfilesPerAccount')
    await putEntityTags(tx, profile.id, tags)
    return { InstanceProfile: await viewProfile(tx, profile, tags) }
  },
})
