/** https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html */
import type { ReEncryptRequest, ReEncryptResponse } from '@aws-sdk/client-kms'
import { readOperation } from '../../wire/operation.ts'
import { checkContext } from '../blob.ts'
import { onKey, requireKey, requireKeyOfBlob } from '../find.ts'
import { checkUsable, keyArn } from '../key.ts'
import { decryptUnder, encryptUnder } from '../keys.ts'
import { algorithm, checkAlgorithm, readBlob, refuseUnsupported } from '../request.ts'

export const reEncrypt = readOperation<ReEncryptRequest, ReEncryptResponse>({
  service: 'kms',
  action: 'ReEncrypt',
  demands: async (input, context) => [
    ...(await onKey('ReEncryptFrom', input.SourceKeyId, { ...context, input })),
    ...(await onKey('ReEncryptTo', input.DestinationKeyId, { ...context, input })),
  ],

  async run(call) {
    const { input, db, readers } = call
    refuseUnsupported(input)
    checkAlgorithm(input.SourceEncryptionAlgorithm)
    checkAlgorithm(input.DestinationEncryptionAlgorithm)
    const blob = readBlob(input.CiphertextBlob)
    const before = checkContext(input.SourceEncryptionContext)
    const after = checkContext(input.DestinationEncryptionContext)
    const source = await requireKeyOfBlob(db, call, 'ReEncryptFrom', blob, input.SourceKeyId)
    const to = checkUsable(await requireKey(db, call, 'ReEncryptTo', input.DestinationKeyId))
    const { masterKey: sealer, randomBytes } = readers
    const plaintext = await decryptUnder(db, source, blob, before, sealer)
    const CiphertextBlob = await encryptUnder(db, to, plaintext, after, { sealer, randomBytes })
    plaintext.fill(0)
    return {
      CiphertextBlob,
      SourceKeyId: keyArn(source),
      KeyId: keyArn(to),
      SourceEncryptionAlgorithm: algorithm,
      DestinationEncryptionAlgorithm: algorithm,
    }
  },
})
