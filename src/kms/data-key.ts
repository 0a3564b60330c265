/** A new data key: as it is used, and as it is kept beside what it encrypts. */
import type { ReadCall } from '../wire/operation.ts'
import { checkContext, type EncryptionContext } from './blob.ts'
import { requireKey } from './find.ts'
import type { Key } from './key.ts'
import { encryptUnder } from './keys.ts'
import { readDataKeyBytes, refuseUnsupported } from './request.ts'

interface Input {
  readonly KeyId: string | undefined
  readonly EncryptionContext?: EncryptionContext | undefined
  readonly KeySpec?: string | undefined
  readonly NumberOfBytes?: number | undefined
  readonly GrantTokens?: readonly string[] | undefined
  readonly Recipient?: object | undefined
}

export async function generateDataKeyOf(
  call: ReadCall<Input>,
  action: string,
): Promise<{ readonly key: Key; readonly plaintext: Uint8Array; readonly blob: Uint8Array }> {
  const { input, db, readers } = call
  refuseUnsupported(input)
  const count = readDataKeyBytes(input)
  const context = checkContext(input.EncryptionContext)
  const key = await requireKey(db, call, action, input.KeyId)
  const { masterKey: sealer, randomBytes } = readers
  const plaintext = randomBytes(count)
  const blob = await encryptUnder(db, key, plaintext, context, { sealer, randomBytes })
  return { key, plaintext, blob }
}
