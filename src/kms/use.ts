/** Keys that EC2 uses for a caller, who needs to be allowed as much as EC2 does with them. */
import type { Database } from '../db/database.ts'
import type { Caller } from '../iam/evaluate.ts'
import { mayUse } from './access.ts'
import { usableKey } from './disk-keys.ts'
import type { Key } from './key.ts'
import { KeyUnusable } from './key-trouble.ts'

/** The key of an ARN. Throws `KeyUnusable` where it cannot be used now, or not for this caller. */
export async function keyUsedBy(
  db: Database,
  { caller, region }: { readonly caller: Caller; readonly region: string },
  arn: string,
  actions: readonly string[],
): Promise<Key> {
  const key = await usableKey(db, arn)
  const via = `ec2.${region}.amazonaws.com`
  if (actions.every((action) => mayUse(key, { caller, action, via }))) return key
  const isOwn = key.accountId === caller.accountId
  throw new KeyUnusable(arn, isOwn ? 'cannot be used by this user.' : 'is of another account.')
}
