/**
 * Deletes a user who has nothing any more: no keys, policies and groups.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html
 */
import type { DeleteUserRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireEntity } from '../find.ts'
import { removeEntity } from '../remove.ts'

export const deleteUser = writeOperation<DeleteUserRequest, void>({
  service: 'iam',
  action: 'DeleteUser',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const wanted = { kind: 'user', name: call.input.UserName } as const
    await removeEntity(call.tx, await requireEntity(call.tx, call, 'DeleteUser', wanted))
  },
})
