/** Finds the snapshot that a call names, or refuses the call. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { parseSnapshotId, type Snapshot, snapshotNotFound } from './snapshot.ts'
import { findUsableSnapshot } from './store.ts'

interface Query {
  readonly accountId: string
  readonly region: string
  /** As the caller wrote it. */
  readonly id: string | undefined
}

/** One that the caller may make something of: its own, a public one, or one shared with it. */
export async function usableSnapshot(db: Database, query: Query): Promise<Snapshot> {
  const id = parseSnapshotId(query.id ?? '')
  const snapshot = await findUsableSnapshot(db, { ...query, id })
  if (!snapshot) throw snapshotNotFound(id)
  return snapshot
}

/** One that the caller owns. */
export async function ownSnapshot(db: Database, query: Query): Promise<Snapshot> {
  const snapshot = await usableSnapshot(db, query)
  if (snapshot.accountId === query.accountId) return snapshot
  throw new ApiError('AuthFailure', `Not authorized for snapshot: ${snapshot.id}`)
}
