/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html */
import type { DecryptRequest, DecryptResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { checkContext } from '../blob.ts'
import { onKey, requireKeyOfBlob } from '../find.ts'
import { keyArn } from '../key.ts'
import { decryptUnder } from '../keys.ts'
import { algorithm, checkAlgorithm, readBlob, refuseUnsupported } from '../request.ts'

export const decrypt = readOperation<DecryptRequest, DecryptResponse>({
  service: 'kms',
  action: 'Decrypt',
  demands: (input, context) => onKey('Decrypt', input.KeyId, { ...context, input }),

  async run(call) {
    const { input, db, readers } = call
    refuseUnsupported(input)
    checkAlgorithm(input.EncryptionAlgorithm)
    const blob = readBlob(input.CiphertextBlob)
    const context = checkContext(input.EncryptionContext)
    const key = await requireKeyOfBlob(db, call, 'Decrypt', blob, input.KeyId)
    const plaintext = await decryptUnder(db, key, blob, context, readers.masterKey)
    return { KeyId: keyArn(key), Plaintext: plaintext, EncryptionAlgorithm: algorithm }
  },
})
