/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html */
import type {
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse,
} from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { generateDataKeyOf } from '../data-key.ts'
import { onKey } from '../find.ts'
import { keyArn } from '../key.ts'

const action = 'GenerateDataKeyWithoutPlaintext'

export const generateDataKeyWithoutPlaintext = readOperation<
  GenerateDataKeyWithoutPlaintextRequest,
  GenerateDataKeyWithoutPlaintextResponse
>({
  service: 'kms',
  action: 'GenerateDataKeyWithoutPlaintext',
  demands: (input, context) => onKey(action, input.KeyId, { ...context, input }),

  async run(call) {
    const { key, plaintext, blob } = await generateDataKeyOf(call, action)
    plaintext.fill(0)
    return { KeyId: keyArn(key), CiphertextBlob: blob }
  },
})
