/**
 * An instance profile and the role in it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetInstanceProfile.html
 */
import type { GetInstanceProfileRequest, GetInstanceProfileResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { requireEntity } from '../find.ts'
import { viewProfile } from '../profiles.ts'
import { listEntityTags } from '../tag-store.ts'

export const getInstanceProfile = readOperation<
  GetInstanceProfileRequest,
  GetInstanceProfileResponse
>({
  service: 'iam',
  action: 'GetInstanceProfile',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const wanted = { kind: 'profile', name: input.InstanceProfileName } as const
    const profile = await requireEntity(db, call, 'GetInstanceProfile', wanted)
    const tags = await listEntityTags(db, profile.id)
    return { InstanceProfile: await viewProfile(db, profile, tags) }
  },
})
