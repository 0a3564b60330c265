/**
 * Gives a user another name or path. What the user has stays the same.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
 */
import type { UpdateUserRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { checkName, checkPath, entityArn, entityExists } from '../entity.ts'
import { renameEntity } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireEntity } from '../find.ts'

export const updateUser = writeOperation<UpdateUserRequest, void>({
  service: 'iam',
  action: 'UpdateUser',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { tx, input, caller } = call
    const wanted = { kind: 'user', name: input.UserName } as const
    const user = await requireEntity(tx, call, 'UpdateUser', wanted)
    const name = checkName('user', input.NewUserName ?? user.name, 'newUserName')
    const path = checkPath(input.NewPath ?? user.path)
    // Who may not change the user that it becomes cannot make it that one.
    const resource = entityArn({ ...user, name, path })
    requireAllowed(caller, { action: 'iam:UpdateUser', resource })
    if (!(await renameEntity(tx, user, { name, path }))) throw entityExists('user', name)
  },
})
