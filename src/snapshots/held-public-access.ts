/** Whether an account's snapshots may be public: as it says itself, or as its organization declares. */
import type { Database } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'
import { findDeclared } from '../organizations/declared-store.ts'
import type { PublicAccess } from './public-access.ts'
import { findPublicAccess } from './settings-store.ts'

export interface HeldPublicAccess {
  readonly access: PublicAccess
  readonly manager: 'account' | 'declarative-policy'
  /** What the organization has to say where it is its word. */
  readonly message: string | undefined
}

export async function readPublicAccess(db: Database, owner: Owner): Promise<HeldPublicAccess> {
  const { snapshotPublicAccess: declared, exceptionMessage } = await findDeclared(
    db,
    owner.accountId,
  )
  if (declared !== undefined) {
    return { access: declared, manager: 'declarative-policy', message: exceptionMessage }
  }
  const access = await findPublicAccess(db, owner)
  return { access, manager: 'account', message: undefined }
}
