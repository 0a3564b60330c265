/**
 * The users of the account, by their names.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html
 */
import type { ListUsersRequest, ListUsersResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { demandOn } from '../demand.ts'
import { foldName } from '../entity.ts'
import { listEntities } from '../entity-store.ts'
import { pageOf } from '../list-page.ts'
import { viewListedUser } from '../view.ts'

export const listUsers = readOperation<ListUsersRequest, ListUsersResponse>({
  service: 'iam',
  action: 'ListUsers',
  demands: ({ PathPrefix = '/' }, { caller }) => [
    demandOn('iam:ListUsers', `arn:aws:iam::${caller.accountId}:user${PathPrefix}`),
  ],

  async run({ db, input, caller: { accountId } }) {
    const { PathPrefix: pathPrefix = '/' } = input
    const users = await listEntities(db, { accountId, kind: 'user', pathPrefix })
    const { items, ...rest } = pageOf(users, input, ({ name }) => foldName(name))
    return { Users: items.map(viewListedUser), ...rest }
  },
})
