/**
 * The groups that a user is in.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html
 */
import type { ListGroupsForUserRequest, ListGroupsForUserResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { findEntities } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { pageOf } from '../list-page.ts'
import { listHolders } from '../membership-store.ts'
import { viewGroup } from '../view.ts'

export const listGroupsForUser = readOperation<ListGroupsForUserRequest, ListGroupsForUserResponse>(
  {
    service: 'iam',
    action: 'ListGroupsForUser',
    demands: () => [],

    async run(call) {
      const { db, input } = call
      const wanted = { kind: 'user', name: input.UserName } as const
      const user = await requireEntity(db, call, 'ListGroupsForUser', wanted)
      const groups = await findEntities(db, await listHolders(db, user.id))
      const { items, ...rest } = pageOf(groups, input, ({ name }) => foldName(name))
      return { Groups: items.map(viewGroup), ...rest }
    },
  },
)
