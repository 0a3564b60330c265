/**
 * Puts a role into an instance profile, which has room for one.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html
 */
import type { AddRoleToInstanceProfileRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { beyondQuota, checkName, noSuchEntity, quotas } from '../entity.ts'
import { findEntity, lockEntity } from '../entity-store.ts'
import { requireAll } from '../evaluate.ts'
import { requireEntity } from '../find.ts'
import { addMember, listMembers } from '../membership-store.ts'
import { toPass } from '../pass-role.ts'

export const addRoleToInstanceProfile = writeOperation<AddRoleToInstanceProfileRequest, void>({
  service: 'iam',
  action: 'AddRoleToInstanceProfile',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'profile', name: input.InstanceProfileName } as const
    const profile = await requireEntity(tx, call, 'AddRoleToInstanceProfile', wanted)
    const name = checkName('role', input.RoleName ?? '', 'roleName')
    const key = { accountId: caller.accountId, kind: 'role', name } as const
    const role = await findEntity(tx, key)
    requireAll(caller, [toPass(role ?? { ...key, path: '/' })])
    // Who deletes the role, or adds another one, waits for this.
    if (!role || !(await lockEntity(tx, role.id))) throw noSuchEntity('role', name)
    if (!(await lockEntity(tx, profile.id))) throw noSuchEntity('profile', profile.name)
    const { length } = await listMembers(tx, profile.id)
    if (length >= quotas.InstanceSessionsPerInstanceProfile) {
      throw beyondQuota('InstanceSessionsPerInstanceProfile')
    }
    await addMember(tx, { holderId: profile.id, memberId: role.id })
  },
})
