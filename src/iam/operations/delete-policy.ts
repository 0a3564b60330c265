/**
 * Deletes a managed policy that is attached to nothing, with its last version.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
 */
import type { DeletePolicyRequest } from '@aws-sdk/client-iam'
import { writeOperation } from '../../wire/operation.ts'
import { requireManaged } from '../find-managed.ts'
import { removeEntity } from '../remove.ts'

export const deletePolicy = writeOperation<DeletePolicyRequest, void>({
  service: 'iam',
  action: 'DeletePolicy',
  demands: () => [],
  owesNothing: true,

  async run(call) {
    const { entity } = await requireManaged(call.tx, call, 'DeletePolicy', call.input.PolicyArn)
    await removeEntity(call.tx, entity)
  },
})
