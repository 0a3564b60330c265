/** A system with a client of KMS, for the tests of keys. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import * as sdk from '@aws-sdk/client-kms'
import type { Statement } from '../src/iam/evaluate.ts'
import type { databases } from './databases.ts'
import { type ClientSettings, startSystem } from './system.ts'

export const other = '222222222222'
export const dayMs = 86_400_000
export const text = Buffer.from('what nobody is to read')

/** The calls of one client: `kms('Encrypt', {...})`. */
export function callerOf(context: TestContext, settings: ClientSettings) {
  const client = new sdk.KMSClient(settings)
  context.after(() => client.destroy())
  const commands = sdk as unknown as Record<string, new (input: object) => sdk.ListKeysCommand>
  return async (action: string, input: object = {}): Promise<Answer> => {
    const Made = commands[`${action}Command`]
    assert(Made)
    const { $metadata: _, ...answer } = await client.send(new Made(input))
    return answer as Answer
  }
}

interface Answer {
  readonly KeyMetadata?: sdk.KeyMetadata
  readonly Keys?: readonly sdk.KeyListEntry[]
  readonly Aliases?: readonly sdk.AliasListEntry[]
  readonly Tags?: readonly sdk.Tag[]
  readonly Policy?: string
  readonly PolicyNames?: readonly string[]
  readonly KeyRotationEnabled?: boolean
  readonly KeyId?: string
  readonly SourceKeyId?: string
  readonly KeyState?: string
  readonly DeletionDate?: Date
  readonly PendingWindowInDays?: number
  readonly CiphertextBlob?: Uint8Array
  readonly Plaintext?: Uint8Array
  readonly EncryptionAlgorithm?: string
  readonly Truncated?: boolean
  readonly NextMarker?: string
}

export async function startKms(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const kms = callerOf(context, system.settingsWith())
  const make = async (input: object = {}) => {
    const { KeyMetadata } = await kms('CreateKey', input)
    const { KeyId, Arn } = KeyMetadata ?? {}
    assert(KeyId && Arn)
    return { KeyId, Arn }
  }
  const refused = (action: string, input: object, name: string, message?: RegExp) =>
    assert.rejects(kms(action, input), { name, ...(message && { message }) })
  const as = async (account: string, policies?: readonly Statement[]) =>
    callerOf(context, await system.settingsOf(account, policies))
  return { system, kms, make, refused, as }
}
