/**
 * Makes a group of users, who have its policies beside their own.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
 */
import type { CreateGroupRequest, CreateGroupResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { checkName, checkPath, entityArn, entityExists, newEntityId } from '../entity.ts'
import { insertEntity } from '../entity-store.ts'
import { requireAllowed } from '../evaluate.ts'
import { viewGroup } from '../view.ts'

export const createGroup = writeOperation<CreateGroupRequest, CreateGroupResponse>({
  service: 'iam',
  action: 'CreateGroup',
  demands: () => [],
  owesNothing: true,

  async run({ tx, input, caller, now, randomBytes }) {
    const group = {
      id: newEntityId('group', randomBytes),
      accountId: caller.accountId,
      kind: 'group',
      name: checkName('group', input.GroupName ?? '', 'groupName'),
      path: checkPath(input.Path ?? '/'),
      createdAt: now,
      boundaryArn: undefined,
    } as const
    requireAllowed(caller, { action: 'iam:CreateGroup', resource: entityArn(group) })
    if (!(await insertEntity(tx, group))) throw entityExists('group', group.name)
    return { Group: viewGroup(group) }
  },
})
