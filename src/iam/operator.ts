/** The account of whoever runs the installation: what is the host's own is for this one alone. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { findSetting } from '../settings/store.ts'
import { findAccessKey } from './store.ts'

/** Refuses every other account, whatever its policies say. */
export async function requireOperator(
  db: Database,
  { accountId }: { readonly accountId: string },
  what: string,
): Promise<void> {
  const keyId = await findSetting(db, 'root-access-key-id')
  const key = keyId === undefined ? undefined : await findAccessKey(db, keyId)
  if (key?.caller.accountId === accountId) return
  throw new ApiError(
    'UnauthorizedOperation',
    `Only the account of the installation itself can ${what}.`,
  )
}
