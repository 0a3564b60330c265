/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html */
import type { CreateKeyPairRequest, KeyPair as KeyPairOutput } from '@aws-sdk/client-ec2'
import { keyPairDemands } from '../demands.ts'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import type { Tag } from '../../tags/tag.ts'
import { viewTags } from '../../tags/view.ts'
import { writeOperation } from '../../wire/operation.ts'
import { type GeneratedKey, generateKey } from '../generate.ts'
import { checkKeyName, keyPairExists, type KeyType } from '../key-pair.ts'
import { formatPublicKey } from '../public-key.ts'
import { findKeyPair, insertKeyPair } from '../store.ts'

interface Prepared {
  readonly name: string
  readonly type: KeyType
  readonly tags: readonly Tag[]
  readonly key: GeneratedKey
}

export const createKeyPair = writeOperation<CreateKeyPairRequest, KeyPairOutput, Prepared>({
  action: 'CreateKeyPair',
  demands: (input, context) => keyPairDemands('CreateKeyPair', input, context),

  // An RSA key takes a good part of a second, for which nobody else shall wait.
  async prepare(input) {
    const { KeyName: name = '', KeyType = 'rsa', KeyFormat = 'pem' } = input
    checkKeyName(name)
    const type = readKeyType(KeyType)
    if (KeyFormat === 'ppk') throw unsupportedParameter('KeyFormat ppk')
    if (KeyFormat !== 'pem') throw invalid('keyFormat', KeyFormat, 'pem')
    const tags = tagsOnCreate(input.TagSpecifications, ['key-pair']).get('key-pair') ?? []
    return { name, type, tags, key: await generateKey(type, name) }
  },

  async run({ tx, now, newId, caller, region }, { name, type, tags, key }) {
    const { publicKey, fingerprint, material } = key
    const owner = { accountId: caller.accountId, region }
    if (await findKeyPair(tx, { ...owner, name })) throw keyPairExists(name)
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
