/**
 * A group and the users in it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetGroup.html
 */
import type { GetGroupRequest, GetGroupResponse } from '@aws-sdk/client-iam'
import { readOperation } from '../../wire/operation.ts'
import { foldName } from '../entity.ts'
import { findEntities } from '../entity-store.ts'
import { requireEntity } from '../find.ts'
import { pageOf } from '../list-page.ts'
import { listMembers } from '../membership-store.ts'
import { viewGroup, viewListedUser } from '../view.ts'

export const getGroup = readOperation<GetGroupRequest, GetGroupResponse>({
  service: 'iam',
  action: 'GetGroup',
  demands: () => [],

  async run(call) {
    const { db, input } = call
    const wanted = { kind: 'group', name: input.GroupName } as const
    const group = await requireEntity(db, call, 'GetGroup', wanted)
    const users = await findEntities(db, await listMembers(db, group.id))
    const { items, ...rest } = pageOf(users, input, ({ name }) => foldName(name))
    return { Group: viewGroup(group), Users: items.map(viewListedUser), ...rest }
  },
})
