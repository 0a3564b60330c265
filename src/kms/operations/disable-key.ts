/** https://docs.aws.amazon.com/kms/latest/APIReference/API_DisableKey.html */
import type { DisableKeyRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { moveKey } from '../move.ts'

export const disableKey = writeOperation<DisableKeyRequest, undefined>({
  service: 'kms',
  action: 'DisableKey',
  demands: (input, context) => onKey('DisableKey', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const key = checkNotPending(await requireKeyById(tx, call, 'DisableKey', input.KeyId))
    await moveKey(tx, key, { state: 'disabled', deletesAt: undefined })
    return undefined
  },
})
