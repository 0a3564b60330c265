/**
 * Tells of a user: the one who calls, where none is named.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
 */
import type { GetUserRequest, GetUserResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { requireUser } from '../find.ts'
import { listEntityTags } from '../tag-store.ts'
import { viewUser } from '../view.ts'

export const getUser = readOperation<GetUserRequest, GetUserResponse>({
  service: 'iam',
  action: 'GetUser',
  demands: () => [],

  async run(call) {
    const user = await requireUser(call.db, call, 'GetUser', call.input.UserName)
    return { User: viewUser(user, await listEntityTags(call.db, user.id)) }
  },
})
