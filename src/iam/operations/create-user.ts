/**
 * Makes a user, who may do nothing until a policy says so.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
 */
import type { CreateUserRequest, CreateUserResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { tagsOfRequest } from '../ec2-resources.ts'
import { checkName, checkPath, entityArn, entityExists, newEntityId } from '../entity.ts'
import { insertEntity } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { requireAttachable } from '../find-policy.ts'
import { readEntityTags } from '../tag-rules.ts'
import { putEntityTags } from '../tag-store.ts'
import { viewUser } from '../view.ts'

export const createUser = writeOperation<CreateUserRequest, CreateUserResponse>({
  service: 'iam',
  action: 'CreateUser',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
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
    const tags = readEntityTags(input.Tags)
    const tagKeys = tags.length > 0 ? tagsOfRequest(tags) : {}
    const keys = { 'iam:PermissionsBoundary': boundaryArn, ...tagKeys }
    const resource = entityArn(user)
    requireAllowed(caller, { action: 'iam:CreateUser', resource }, { keys })
    if (tags.length > 0) requireAllowed(caller, { action: 'iam:TagUser', resource }, { keys })
    if (boundaryArn !== undefined) await requireAttachable(tx, boundaryArn, accountId)
    if (!(await insertEntity(tx, user))) throw entityExists('user', user.name)
    await putEntityTags(tx, user.id, tags)
    return { User: viewUser(user, tags) }
  },
})
