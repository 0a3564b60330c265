/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html */
import type { ImportKeyPairRequest, ImportKeyPairResult } from '@aws-sdk/client-ec2'
import { keyPairDemands } from '../demands.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkKeyName } from '../key-pair.ts'
import { fingerprintOfImported, formatPublicKey, readPublicKey } from '../public-key.ts'
import { insertKeyPair } from '../store.ts'

export const importKeyPair = writeOperation<ImportKeyPairRequest, ImportKeyPairResult>({
  action: 'ImportKeyPair',
  demands: (input, context) => keyPairDemands('ImportKeyPair', input, context),
  async run({ input, tx, now, newId, caller, region }) {
    const { KeyName: name = '', PublicKeyMaterial = new Uint8Array() } = input
    checkKeyName(name)
    const tags = tagsOnCreate(input.TagSpecifications, ['key-pair']).get('key-pair') ?? []
    const publicKey = readPublicKey(PublicKeyMaterial)
    const fingerprint = fingerprintOfImported(publicKey)
    const owner = { accountId: caller.accountId, region }
    const id = newId('key-pair')
    await insertKeyPair(tx, {
      ...owner,
      id,
      name,
      type: publicKey.type,
      fingerprint,
      publicKey: formatPublicKey(publicKey, name),
      createdAt: now,
    })
    await putTags(tx, { ...owner, resourceType: 'key-pair', resourceId: id, tags })
    return {
      KeyPairId: id,
      KeyName: name,
      KeyFingerprint: fingerprint,
      Tags: tags.length > 0 ? viewTags(tags) : undefined,
    }
  },
})
