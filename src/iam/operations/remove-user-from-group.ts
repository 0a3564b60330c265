/**
 * Takes a user out of a group.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveUserFromGroup.html
 */
import type { RemoveUserFromGroupRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { ApiError } from '../../lib/errors.ts'
import { noSuchEntity } from '../entity.ts'
import { findEntity } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { removeMember } from '../membership-store.ts'

export const removeUserFromGroup = writeOperation<RemoveUserFromGroupRequest, void>({
  service: 'iam',
  action: 'RemoveUserFromGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'group', name: input.GroupName } as const
    const group = await requireEntity(tx, call, 'RemoveUserFromGroup', wanted)
    const { UserName: name = '' } = input
    const user = await findEntity(tx, { accountId: caller.accountId, kind: 'user', name })
    if (!user) throw noSuchEntity('user', name)
    if (!(await removeMember(tx, { holderId: group.id, memberId: user.id }))) {
      throw new ApiError('NoSuchEntity', `The user ${name} is not in the group ${group.name}.`)
    }
  },
})
