/** https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateKeyDescription.html */
import type { UpdateKeyDescriptionRequest } from '@aws-sdk/client-kms'
import { writeOperation } from '../../wire/operation.ts'
import { onKey, requireKeyById } from '../find.ts'
import { checkNotPending } from '../key.ts'
import { readDescription } from '../request.ts'
import { setDescription } from '../store.ts'

export const updateKeyDescription = writeOperation<UpdateKeyDescriptionRequest, undefined>({
  service: 'kms',
  action: 'UpdateKeyDescription',
  demands: (input, context) => onKey('UpdateKeyDescription', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, tx } = call
    const description = readDescription(input.Description)
    const { id } = checkNotPending(
      await requireKeyById(tx, call, 'UpdateKeyDescription', input.KeyId),
    )
    await setDescription(tx, id, description)
    return undefined
  },
})
