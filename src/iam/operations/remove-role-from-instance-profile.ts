/**
 * Takes the role out of an instance profile. Instances that have the profile get none of its credentials any more.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveRoleFromInstanceProfile.html
 */
import type { RemoveRoleFromInstanceProfileRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { noSuchEntity } from '../entity.ts'
import { findEntity } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { removeMember } from '../membership-store.ts'

export const removeRoleFromInstanceProfile = writeOperation<
  RemoveRoleFromInstanceProfileRequest,
  void
>({
  service: 'iam',
  action: 'RemoveRoleFromInstanceProfile',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'profile', name: input.InstanceProfileName } as const
    const profile = await requireEntity(tx, call, 'RemoveRoleFromInstanceProfile', wanted)
    const { RoleName: name = '' } = input
    const role = await findEntity(tx, { accountId: caller.accountId, kind: 'role', name })
    const membership = { holderId: profile.id, memberId: role?.id ?? '' }
    if (!role || !(await removeMember(tx, membership))) throw noSuchEntity('role', name)
  },
})
