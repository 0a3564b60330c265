/**
 * Tells whether a key gets new material by itself. None does.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html
 */
import type { GetKeyRotationStatusRequest, GetKeyRotationStatusResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'

export const getKeyRotationStatus = readOperation<
  GetKeyRotationStatusRequest,
  GetKeyRotationStatusResponse
>({
  service: 'kms',
  action: 'GetKeyRotationStatus',
  demands: (input, context) => onKey('GetKeyRotationStatus', input.KeyId, { ...context, input }),

  async run(call) {
    const key = await requireKeyById(call.db, call, 'GetKeyRotationStatus', call.input.KeyId)
    return { KeyId: key.id, KeyRotationEnabled: false }
  },
})
