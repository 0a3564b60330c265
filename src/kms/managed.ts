/** The keys that AWS manages for an account's disks and parameters: made when they are first asked for. */
import type { Tx } from '../db/database.ts'
import { keyBytes, type RandomBytes, type Sealer } from '../lib/seal.ts'
import { deleteNewKey, findKey, insertKey } from './store.ts'
import { ebsAlias, type ManagedAlias, managedKeys } from './alias.ts'
import { findAlias, insertAlias } from './alias-store.ts'
import { formatKeyId, type Key, type Place } from './key.ts'

interface Maker {
  readonly now: Date
  readonly randomBytes: RandomBytes
  readonly sealer: Sealer
}

/** Makes a key with its material, whoever manages it. */
export async function makeKey(
  tx: Tx,
  wanted: Place & Pick<Key, 'manager' | 'description' | 'tags'>,
  { now, randomBytes, sealer }: Maker,
): Promise<Key> {
  const { accountId, region, manager, description, tags } = wanted
  const key: Key = {
    id: formatKeyId(randomBytes(16)),
    accountId,
    region,
    manager,
    description,
    tags,
    state: 'enabled',
    deletesAt: undefined,
    createdAt: now,
  }
  const bytes = randomBytes(keyBytes)
  await insertKey(tx, key, { version: 1, bytes }, sealer)
  bytes.fill(0)
  return key
}

/** The key behind `alias/aws/ebs`, which is made where it is not there yet. */
export const ensureEbsKey = async (tx: Tx, place: Place, maker: Maker): Promise<Key | undefined> =>
  await ensureManagedKey(tx, place, ebsAlias, maker)

/** The key behind an alias of AWS, which is made where it is not there yet. */
export async function ensureManagedKey(
  tx: Tx,
  place: Place,
  alias: ManagedAlias,
  maker: Maker,
): Promise<Key | undefined> {
  const { accountId, region } = place
  const name = { accountId, region, name: alias }
  const found = await findAlias(tx, name)
  if (found) return await findKey(tx, { ...place, id: found.keyId })
  const { description } = managedKeys[alias]
  const key = await makeKey(tx, { ...place, manager: 'AWS', description, tags: [] }, maker)
  const { now } = maker
  const isFirst = await insertAlias(tx, { ...name, keyId: key.id, createdAt: now, updatedAt: now })
  if (isFirst) return key
  // Another call was faster, and its key is the one.
  await deleteNewKey(tx, key.id)
  const theirs = await findAlias(tx, name)
  return theirs && (await findKey(tx, { ...place, id: theirs.keyId }))
}
