/** https://docs.aws.amazon.com/kms/latest/APIReference/API_EnableKey.html */
import type { EnableKeyRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { moveKey } from '../move.ts'

export const enableKey = writeOperation<EnableKeyRequest, undefined>({
  service: 'kms',
  action: 'EnableKey',
  demands: (input, context) => onKey('EnableKey', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const key = checkNotPending(await requireKeyById(tx, call, 'EnableKey', input.KeyId))
    await moveKey(tx, key, { state: 'enabled', deletesAt: undefined })
    return undefined
  },
})
