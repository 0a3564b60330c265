/** Access keys of users: two at most, and the secret is shown once. */
import type { Tx } from '../db/database.ts'
import { type Sealer } from '../lib/seal.ts'
import { Secret } from '../lib/secret.ts'
import {
  beyondQuota,
  type Entity,
  newKeyId,
  newSecretText,
  noSuchEntity,
  quotas,
} from './entity.ts'
import { lockEntity } from './entity-store.ts'
import { insertUserKey, listUserKeys, type UserKey } from './user-key-store.ts'

/** What making a key takes from outside. */
export interface KeyMaker {
  readonly now: Date
  readonly randomBytes: (count: number) => Uint8Array
  readonly sealer: Sealer
}

/** Makes an active key. Its secret is nowhere but in the answer, and sealed in the database. */
export async function makeUserKey(
  tx: Tx,
  user: Entity,
  { now, randomBytes, sealer }: KeyMaker,
): Promise<UserKey & { readonly secret: Secret }> {
  // Whoever else makes a key for the user waits for this one to be counted.
  if (!(await lockEntity(tx, user.id))) throw noSuchEntity('user', user.name)
  const keys = await listUserKeys(tx, user.id)
  if (keys.length >= quotas.AccessKeysPerUser) throw beyondQuota('AccessKeysPerUser')
  const key = {
    id: newKeyId(randomBytes),
    userId: user.id,
    isActive: true,
    createdAt: now,
    lastUse: undefined,
  }
  const secret = new Secret(newSecretText(randomBytes))
  await insertUserKey(tx, key, secret, sealer)
  return { ...key, secret }
}
