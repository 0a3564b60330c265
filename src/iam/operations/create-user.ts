/**
 * Makes a user, who may do nothing until a policy says so.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
 */
import type { CreateUserRequest, CreateUserResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { makeEntity, newEntity } from '../make-entity.ts'
import { viewUser } from '../view.ts'

export const createUser = writeOperation<CreateUserRequest, CreateUserResponse>({
  service: 'iam',
  action: 'CreateUser',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const made = newEntity(call, 'user', call.input.UserName)
    await makeEntity(call.tx, made)
    return { User: viewUser(made.entity, made.tags) }
  },
})
