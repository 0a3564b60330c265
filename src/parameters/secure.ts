/**
 * The values of `SecureString` parameters: kept as what a key of KMS has made of them, and
 * bound to the parameter that they are of. A value of the standard tier is encrypted by
 * the key itself; a longer one by a data key that lies before it:
 *
 *   length of the blob 2 | blob of the data key | nonce 12, ciphertext, tag 16
 *
 * A plain value is only ever in the memory of the call that brings or asks for it.
 */
import type { Database } from '../db/database.ts'
import { requireAll } from '../iam/evaluate.ts'
import { demandOnKey, keysOfInput } from '../kms/access.ts'
import { ssmAlias } from '../kms/alias.ts'
import { findAlias } from '../kms/alias-store.ts'
import { requireKey } from '../kms/find.ts'
import type { Key } from '../kms/key.ts'
import { parseKeyReference } from '../kms/key-reference.ts'
import { decryptUnder, encryptUnder, keyOfBlob } from '../kms/keys.ts'
import { ensureManagedKey } from '../kms/managed.ts'
import { ApiError } from '../lib/errors.ts'
import { decrypt, encrypt, keyBytes } from '../lib/seal.ts'
import type { CallContext, WriteCall } from '../wire/operation.ts'
import { hereOf } from './own.ts'
import { type ParameterKey, parameterArn, type ParameterVersion, type Tier } from './parameter.ts'

const lengthBytes = 2

/** Encrypts a value under the key that a call names, or under the one that AWS manages for that. */
export async function sealValue(
  call: WriteCall<unknown>,
  wanted: ParameterKey & {
    readonly value: string
    readonly tier: Tier
    readonly keyId: string | undefined
  },
): Promise<{ readonly value: string; readonly keyId: string }> {
  const { tx, readers } = call
  const { masterKey: sealer, randomBytes } = readers
  const { keyId = ssmAlias, tier } = wanted
  const arn = parameterArn(wanted)
  const plain = Buffer.from(wanted.value)
  return await asOfKms(async () => {
    const key = await findKeyFor(call, tier, keyId, arn)
    const under = (bytes: Uint8Array) =>
      encryptUnder(tx, key, bytes, contextOf(arn), { sealer, randomBytes })
    if (tier === 'Standard') return { keyId, value: inBase64(await under(plain)) }
    const dataKey = randomBytes(keyBytes)
    const blob = await under(dataKey)
    const length = Buffer.alloc(lengthBytes)
    length.writeUInt16BE(blob.length)
    const sealed = encrypt(dataKey, plain, Buffer.from(arn), randomBytes)
    dataKey.fill(0)
    return { keyId, value: inBase64(Buffer.concat([length, blob, sealed])) }
  })
}

/** A version with its value in plain, where the call wants that; what is no secret is as it was. */
export async function revealVersion(
  db: Database,
  call: CallContext,
  version: ParameterVersion,
  isWanted: boolean | undefined,
): Promise<ParameterVersion> {
  if (!isWanted || version.type !== 'SecureString') return version
  const arn = parameterArn(version)
  const kept = Buffer.from(version.value, 'base64')
  return await asOfKms(async () => {
    const isDirect = version.tier === 'Standard'
    const blobEnd = isDirect ? kept.length : lengthBytes + kept.readUInt16BE(0)
    const blob = isDirect ? kept : kept.subarray(lengthBytes, blobEnd)
    const key = await keyOfBlob(db, version, blob)
    const said = { EncryptionContext: contextOf(arn) }
    // The key that AWS manages is for everybody who may read the parameter.
    if (key.manager === 'CUSTOMER') {
      const { caller } = call
      const use = {
        caller,
        action: 'Decrypt',
        via: viaOf(call),
        keys: keysOfInput('Decrypt', said),
      }
      requireAll(caller, [demandOnKey(key, use)])
    }
    const opened = await decryptUnder(db, key, blob, contextOf(arn), call.readers.masterKey)
    const plain = isDirect ? opened : decrypt(opened, kept.subarray(blobEnd), Buffer.from(arn))
    if (!plain) throw new ApiError('InvalidCiphertextException', 'The ciphertext is not valid.')
    return { ...version, value: Buffer.from(plain).toString() }
  })
}

/** What a value is bound to, as AWS has it: who may use the key can open it by KMS as well. */
const contextOf = (arn: string) => ({ PARAMETER_ARN: arn })

const viaOf = ({ region }: Pick<CallContext, 'region'>): string => `ssm.${region}.amazonaws.com`

const inBase64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The caller needs to be allowed to use a key of its own; the one of AWS is everybody's of the account. */
async function findKeyFor(
  call: WriteCall<unknown>,
  tier: Tier,
  keyId: string,
  arn: string,
): Promise<Key> {
  const { tx, now, readers } = call
  const here = hereOf(call)
  const reference = parseKeyReference(keyId, here)
  const isOfHere = reference.accountId === here.accountId
  const managed = await findAlias(tx, { ...here, name: ssmAlias })
  const isManaged =
    reference.kind === 'alias' ? reference.name === ssmAlias : reference.id === managed?.keyId
  if (isOfHere && isManaged) {
    const { masterKey: sealer, randomBytes } = readers
    const key = await ensureManagedKey(tx, here, ssmAlias, { now, randomBytes, sealer })
    if (key) return key
  }
  const using = { ...call, input: { EncryptionContext: contextOf(arn) }, via: viaOf(call) }
  return await requireKey(tx, using, tier === 'Standard' ? 'Encrypt' : 'GenerateDataKey', keyId)
}

/** What KMS refuses is told as SSM tells it; that somebody is not allowed, as it is. */
async function asOfKms<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ApiError) || !codesOfKms.includes(error.code)) throw error
    const from = `(Service: AWSKMS; Status Code: 400; Error Code: ${error.code})`
    throw new ApiError('InvalidKeyId', `${error.message} ${from}`)
  }
}

const codesOfKms: readonly string[] = [
  'DisabledException',
  'InvalidArnException',
  'InvalidCiphertextException',
  'KMSInvalidStateException',
  'NotFoundException',
]
