/**
 * Whether a new disk is encrypted, and with which key: what the call says, what the
 * disk is made of, and what the account says of all disks. A disk that is made of an
 * encrypted one is never plain.
 * https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html
 */
import type { Tx } from '../db/database.ts'
import type { Caller } from '../iam/evaluate.ts'
import { aliasArn, ebsAlias } from '../kms/alias.ts'
import { ensureDiskKey } from '../kms/disk-keys.ts'
import { type Key, keyArn, type Place } from '../kms/key.ts'
import { parseKeyArn } from '../kms/key-reference.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import { resolveKey } from '../kms/keys.ts'
import { keyUsedBy } from '../kms/use.ts'
import { ensureEbsKey } from '../kms/managed.ts'
import { ApiError } from '../lib/errors.ts'
import type { Readers } from '../wire/readers.ts'
import { findEncryptionSettings } from './encryption-settings-store.ts'
import {
  keyUnusableCode,
  plainOfEncryptedCode,
  readingActions,
  writingActions,
} from './unknowns.ts'

export interface EncryptionCall {
  readonly tx: Tx
  readonly caller: Caller
  readonly region: string
  readonly now: Date
  readonly readers: Pick<Readers, 'masterKey' | 'randomBytes'>
}

export interface EncryptionWish {
  readonly encrypted?: boolean | undefined
  /** A key by its id, its ARN, an alias or the alias's ARN. */
  readonly keyId?: string | undefined
  /** What the disk is made of. */
  readonly source?: (Place & { readonly id: string; readonly kmsKeyArn?: string }) | undefined
}

/** The key of a new disk. Where `problem` says why it cannot be used, the disk cannot be made. */
export interface Encryption {
  readonly arn: string
  readonly problem?: string
}

/** The key that a new disk gets, or nothing where it is to be plain. */
export async function chooseEncryption(
  call: EncryptionCall,
  wish: EncryptionWish,
): Promise<Encryption | undefined> {
  const { encrypted, source } = wish
  const keyId = wish.keyId === '' ? undefined : wish.keyId
  if (keyId !== undefined && encrypted !== true) {
    throw new ApiError(
      'InvalidParameterDependency',
      'The parameter KmsKeyId requires the parameter Encrypted to be set.',
    )
  }
  const { tx, caller, region } = call
  const here = { accountId: caller.accountId, region }
  const settings = await findEncryptionSettings(tx, here)
  if (source?.kmsKeyArn !== undefined && encrypted === false) throw plainOfEncrypted(source.id)
  if (!encrypted && !settings.encryptsByDefault && source?.kmsKeyArn === undefined) return undefined

  const isOwn = source?.accountId === here.accountId && source.region === region
  const wanted = keyId ?? (isOwn ? source.kmsKeyArn : undefined) ?? settings.kmsKeyArn
  try {
    if (source?.kmsKeyArn !== undefined)
      await keyUsedBy(call.tx, call, source.kmsKeyArn, readingActions)
    const key = await findKeyFor(call, here, wanted)
    const { masterKey: sealer, randomBytes } = call.readers
    return { arn: await ensureDiskKey(tx, key, { sealer, randomBytes }) }
  } catch (error) {
    if (!(error instanceof KeyUnusable)) throw error
    return { arn: wanted === undefined ? error.arn : arnOf(wanted, here), problem: error.message }
  }
}

/** The same for a call that says at once where the key cannot be used. */
export async function requireEncryption(
  call: EncryptionCall,
  wish: EncryptionWish,
): Promise<Encryption | undefined> {
  const encryption = await chooseEncryption(call, wish)
  if (encryption?.problem !== undefined) throw keyNotAccessible(encryption.problem)
  return encryption
}

/** The key that `text` names, or the one that AWS manages, where the caller may encrypt disks with it. */
export async function findKeyFor(
  call: EncryptionCall,
  here: Place,
  text: string | undefined,
): Promise<Key> {
  const { tx, now, readers } = call
  const ebsNames = [undefined, ebsAlias, aliasArn({ ...here, name: ebsAlias })]
  if (ebsNames.includes(text)) {
    const { masterKey: sealer, randomBytes } = readers
    const key = await ensureEbsKey(tx, here, { now, randomBytes, sealer })
    if (key) return key
  }
  const foreign = parseKeyArn(text ?? '')
  if (foreign && foreign.accountId !== here.accountId && foreign.region === here.region) {
    return await keyUsedBy(call.tx, call, keyArn(foreign), writingActions)
  }
  try {
    const key = await resolveKey(tx, { ...here, keyId: text ?? ebsAlias })
    return await keyUsedBy(call.tx, call, keyArn(key), writingActions)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    throw new KeyUnusable(arnOf(text ?? ebsAlias, here), 'cannot be used by this account.')
  }
}

/** Refuses who may not read what is encrypted, or may not do something else with its key. */
export async function requireReadable(
  call: Pick<EncryptionCall, 'tx' | 'caller' | 'region'>,
  { kmsKeyArn }: { readonly kmsKeyArn?: string },
  actions: readonly string[] = readingActions,
): Promise<void> {
  if (kmsKeyArn === undefined) return
  try {
    await keyUsedBy(call.tx, call, kmsKeyArn, actions)
  } catch (error) {
    throw error instanceof KeyUnusable ? keyNotAccessible(error.message) : error
  }
}

export const keyNotAccessible = (why: string): ApiError =>
  new ApiError(keyUnusableCode, `The specified KMS key is not accessible. ${why}`)

function plainOfEncrypted(id: string): ApiError {
  return new ApiError(
    plainOfEncryptedCode,
    `${id.startsWith('vol-') ? 'Volume' : 'Snapshot'} ${id} is encrypted. Creating an unencrypted copy from an encrypted snapshot is not supported.`,
  )
}

/** What a key that may not be there is called. */
const arnOf = (text: string, { accountId, region }: Place): string =>
  text.startsWith('arn:')
    ? text
    : `arn:aws:kms:${region}:${accountId}:${text.startsWith('alias/') ? text : `key/${text}`}`
