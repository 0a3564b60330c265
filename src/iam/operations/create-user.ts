/**
 * Makes a user, who may do nothing until a policy says so.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
 */
import type { CreateUserRequest, CreateUserResponse } from '@aws-sdk/client-iam'
import { unsupportedParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkName, checkPath, entityArn, entityExists, newEntityId } from '../entity.ts'
import { insertEntity } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireAttachable } from '../find-policy.ts'
import { viewUser } from '../view.ts'

export const createUser = writeOperation<CreateUserRequest, CreateUserResponse>({
  service: 'iam',
  action: 'CreateUser',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
    if (input.Tags) throw unsupportedParameter('Tags')
    const { accountId } = caller
    const boundaryArn = input.PermissionsBoundary
    const user = {
      id: newEntityId('user', randomBytes),
      accountId,
      kind: 'user',
      name: checkName('user', input.UserName ?? '', 'userName'),
      path: checkPath(input.Path ?? '/'),
      createdAt: now,
      boundaryArn,
    } as const
    const keys = { 'iam:PermissionsBoundary': boundaryArn }
    requireAllowed(caller, { action: 'iam:CreateUser', resource: entityArn(user) }, { keys })
    if (boundaryArn !== undefined) await requireAttachable(tx, boundaryArn, accountId)
    if (!(await insertEntity(tx, user))) throw entityExists('user', user.name)
    return { User: viewUser(user) }
  },
})
