/**
 * Puts a user into a group. Doing so twice changes nothing.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddUserToGroup.html
 */
import type { AddUserToGroupRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { beyondQuota, noSuchEntity, quotas } from '../entity.ts'
import { findEntity, lockEntity } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { addMember, listHolders } from '../membership-store.ts'

export const addUserToGroup = writeOperation<AddUserToGroupRequest, void>({
  service: 'iam',
  action: 'AddUserToGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'group', name: input.GroupName } as const
    const group = await requireEntity(tx, call, 'AddUserToGroup', wanted)
    const { UserName: name = '' } = input
    const user = await findEntity(tx, { accountId: caller.accountId, kind: 'user', name })
    // Whoever else changes the groups of the user waits for this.
    if (!user || !(await lockEntity(tx, user.id))) throw noSuchEntity('user', name)
    if (!(await lockEntity(tx, group.id))) throw noSuchEntity('group', group.name)
    await addMember(tx, { holderId: group.id, memberId: user.id })
    const groups = await listHolders(tx, user.id)
    if (groups.length > quotas.GroupsPerUser) throw beyondQuota('GroupsPerUser')
  },
})
