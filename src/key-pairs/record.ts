/** Records a key pair with its tags, and answers it as the calls that make one do. */
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { WriteCall } from '../wire/operation.ts'
import { formatPublicKey, type PublicKey } from './public-key.ts'
import { insertKeyPair } from './store.ts'

export async function recordKeyPair(
  { tx, now, newId, caller, region }: WriteCall<unknown>,
  {
    name,
    publicKey,
    fingerprint,
    tags,
  }: {
    readonly name: string
    readonly publicKey: PublicKey
    readonly fingerprint: string
    readonly tags: readonly Tag[]
  },
) {
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
}
