/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html */
import type { GenerateDataKeyRequest, GenerateDataKeyResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { generateDataKeyOf } from '../data-key.ts'
import { onKey } from '../find.ts'
import { keyArn } from '../key.ts'

export const generateDataKey = readOperation<GenerateDataKeyRequest, GenerateDataKeyResponse>({
  service: 'kms',
  action: 'GenerateDataKey',
  demands: (input, context) => onKey('GenerateDataKey', input.KeyId, { ...context, input }),

  async run(call) {
    const { key, plaintext, blob } = await generateDataKeyOf(call, 'GenerateDataKey')
    return { KeyId: keyArn(key), Plaintext: plaintext, CiphertextBlob: blob }
  },
})
