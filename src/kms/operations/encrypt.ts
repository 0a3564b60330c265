/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html */
import type { EncryptRequest, EncryptResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { checkContext } from '../blob.ts'
import { onKey, requireKey } from '../find.ts'
import { keyArn } from '../key.ts'
import { encryptUnder } from '../keys.ts'
import { algorithm, checkAlgorithm, readPlaintext, refuseUnsupported } from '../request.ts'

export const encrypt = readOperation<EncryptRequest, EncryptResponse>({
  service: 'kms',
  action: 'Encrypt',
  demands: (input, context) => onKey('Encrypt', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, db, readers } = call
    refuseUnsupported(input)
    checkAlgorithm(input.EncryptionAlgorithm)
    const plaintext = readPlaintext(input.Plaintext)
    const context = checkContext(input.EncryptionContext)
    const key = await requireKey(db, call, 'Encrypt', input.KeyId)
    const { masterKey: sealer, randomBytes } = readers
    const blob = await encryptUnder(db, key, plaintext, context, { sealer, randomBytes })
    return { KeyId: keyArn(key), CiphertextBlob: blob, EncryptionAlgorithm: algorithm }
  },
})
