/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateKeyPair.html */
import type { CreateKeyPairRequest, KeyPair as KeyPairOutput } from '@aws-sdk/client-ec2'
import { keyPairDemands } from '../demands.ts'
import { ApiError, unsupportedParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import type { Tag } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { type GeneratedKey, generateKey } from '../generate.ts'
import { checkKeyName, type KeyType } from '../key-pair.ts'
import { recordKeyPair } from '../record.ts'

interface Prepared {
  readonly name: string
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
    return { name, tags, key: await generateKey(type, name) }
  },

  async run(call, { name, tags, key }) {
    const { publicKey, fingerprint, material } = key
    const recorded = await recordKeyPair(call, { name, publicKey, fingerprint, tags })
    return { ...recorded, KeyMaterial: material }
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
