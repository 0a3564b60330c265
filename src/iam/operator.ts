/** The account of whoever runs the installation: what is the host's own is for this one alone. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { findSetting } from '../settings/store.ts'
import { findKeyHolder } from './store.ts'

interface Asker {
  readonly accountId: string
}

export async function isOperator(db: Database, { accountId }: Asker): Promise<boolean> {
  const keyId = await findSetting(db, 'root-access-key-id')
  const holder = keyId === undefined ? undefined : await findKeyHolder(db, keyId)
  return holder?.accountId === accountId
}

/** Refuses every other account, whatever its policies say. */
export async function requireOperator(db: Database, asker: Asker, what: string): Promise<void> {
  if (await isOperator(db, asker)) return
  throw new ApiError(
    'UnauthorizedOperation',
    `Only the account of the installation itself can ${what}.`,
  )
}
