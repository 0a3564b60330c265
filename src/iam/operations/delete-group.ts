/**
 * Deletes a group that has neither users nor policies.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteGroup.html
 */
import type { DeleteGroupRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireEntity } from '../find.ts'
import { removeEntity } from '../remove.ts'

export const deleteGroup = writeOperation<DeleteGroupRequest, void>({
  service: 'iam',
  action: 'DeleteGroup',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const wanted = { kind: 'group', name: call.input.GroupName } as const
    await removeEntity(call.tx, await requireEntity(call.tx, call, 'DeleteGroup', wanted))
  },
})
