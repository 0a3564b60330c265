/**
 * Gives a group another name or path. Its users and policies stay the same.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateGroup.html
 */
import type { UpdateGroupRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { rename } from '../rename.ts'

export const updateGroup = writeOperation<UpdateGroupRequest, void>({
  service: 'iam',
  action: 'UpdateGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { GroupName: name, NewGroupName: newName } = call.input
    await rename(call, 'group', { name, newName })
  },
})
