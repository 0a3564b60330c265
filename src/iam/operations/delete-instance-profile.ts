/**
 * Deletes an instance profile without a role. Instances that have it get no credentials any more.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteInstanceProfile.html
 */
import type { DeleteInstanceProfileRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireEntity } from '../find.ts'
import { removeEntity } from '../remove.ts'

export const deleteInstanceProfile = writeOperation<DeleteInstanceProfileRequest, void>({
  service: 'iam',
  action: 'DeleteInstanceProfile',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const wanted = { kind: 'profile', name: call.input.InstanceProfileName } as const
    await removeEntity(call.tx, await requireEntity(call.tx, call, 'DeleteInstanceProfile', wanted))
  },
})
