/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html */
import type { CancelKeyDeletionRequest, CancelKeyDeletionResponse } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { invalidState, keyArn } from '../key.ts'
import { moveKey } from '../move.ts'

export const cancelKeyDeletion = writeOperation<
  CancelKeyDeletionRequest,
  CancelKeyDeletionResponse
>({
  service: 'kms',
  action: 'CancelKeyDeletion',
  demands: (input, context) => onKey('CancelKeyDeletion', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const key = await requireKeyById(tx, call, 'CancelKeyDeletion', input.KeyId)
    if (key.state !== 'pending-deletion')
      throw invalidState(`${keyArn(key)} is not pending deletion.`)
    // A key that was to go comes back disabled, as in AWS: whoever needs it enables it.
    await moveKey(tx, key, { state: 'disabled', deletesAt: undefined })
    return { KeyId: keyArn(key) }
  },
})
