/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html */
import type { CreateKeyPairRequest, KeyPair as KeyPairOutput } from '@aws-sdk/client-ec2'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { writeOperation } from '../../wire/operation.ts'
import { generateKey } from '../generate.ts'
import { checkKeyName, keyPairExists, type KeyType } from '../key-pair.ts'
import { formatPublicKey } from '../public-key.ts'
import { findKeyPair, insertKeyPair } from '../store.ts'

export const createKeyPair = writeOperation<CreateKeyPairRequest, KeyPairOutput>({
  action: 'CreateKeyPair',
  async run({ input, tx, now, newId, caller, region }) {
    const { KeyName: name = '', KeyType = 'rsa', KeyFormat = 'pem' } = input
    checkKeyName(name)
    const type = readKeyType(KeyType)
    if (KeyFormat === 'ppk') throw unsupportedParameter('KeyFormat ppk')
    if (KeyFormat !== 'pem') throw invalid('keyFormat', KeyFormat, 'pem')
    const tags = tagsOnCreate(input.TagSpecifications, ['key-pair']).get('key-pair') ?? []
    const owner = { accountId: caller.accountId, region }
    if (await findKeyPair(tx, { ...owner, name })) throw keyPairExists(name)
    const { publicKey, fingerprint, material } = await generateKey(type, name)
    const id = newId('key-pair')
    await insertKeyPair(tx, {
      ...owner,
      id,
      name,
      type,
      fingerprint,
      publicKey: formatPublicKey(publicKey, name),
      createdAt: now,
    })
    await putTags(tx, { ...owner, resourceType: 'key-pair', resourceId: id, tags })
    return {
      KeyPairId: id,
      KeyName: name,
      KeyFingerprint: fingerprint,
      KeyMaterial: material,
      Tags: tags.length > 0 ? viewTags(tags) : undefined,
    }
  },
})

function readKeyType(text: string): KeyType {
  if (text === 'rsa' || text === 'ed25519') return text
  throw invalid('keyType', text, 'rsa, ed25519')
}

function invalid(parameter: string, value: string, allowed: string): ApiError {
  return new ApiError(
    'InvalidParameterValue',
    `Value (${value}) for parameter ${parameter} is invalid. Allowed values: ${allowed}`,
  )
}
