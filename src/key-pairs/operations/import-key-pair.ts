/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html */
import type { ImportKeyPairRequest, ImportKeyPairResult } from '@aws-sdk/client-ec2'
import { keyPairDemands } from '../demands.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkKeyName } from '../key-pair.ts'
import { fingerprintOfImported, readPublicKey } from '../public-key.ts'
import { recordKeyPair } from '../record.ts'

export const importKeyPair = writeOperation<ImportKeyPairRequest, ImportKeyPairResult>({
  action: 'ImportKeyPair',
  demands: (input, context) => keyPairDemands('ImportKeyPair', input, context),
  async run(call) {
    const { input } = call
    const { KeyName: name = '', PublicKeyMaterial = new Uint8Array() } = input
    checkKeyName(name)
    const tags = tagsOnCreate(input.TagSpecifications, ['key-pair']).get('key-pair') ?? []
    const publicKey = readPublicKey(PublicKeyMaterial)
    const fingerprint = fingerprintOfImported(publicKey)
    return await recordKeyPair(call, { name, publicKey, fingerprint, tags })
  },
})
