/**
 * Makes a group of users, who have its policies beside their own.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateGroup.html
 */
import type { CreateGroupRequest, CreateGroupResponse } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { makeEntity, newEntity } from '../make-entity.ts'
import { viewGroup } from '../view.ts'

export const createGroup = writeOperation<CreateGroupRequest, CreateGroupResponse>({
  service: 'iam',
  action: 'CreateGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const made = newEntity(call, 'group', call.input.GroupName)
    await makeEntity(call.tx, made)
    return { Group: viewGroup(made.entity) }
  },
})
