/**
 * Gives a user another name or path. What the user has stays the same.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
 */
import type { UpdateUserRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { rename } from '../rename.ts'

export const updateUser = writeOperation<UpdateUserRequest, void>({
  service: 'iam',
  action: 'UpdateUser',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { UserName: name, NewUserName: newName } = call.input
    await rename(call, 'user', { name, newName })
  },
})
