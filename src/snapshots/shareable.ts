/** Whether what is encrypted can be shared: never with everyone, and only under a key of one's own. */
import type { Database } from '../db/database.ts'
import { parseKeyArn } from '../kms/key-reference.ts'
import { findKey } from '../kms/store.ts'
import { ApiError } from '../lib/errors.ts'
import type { Snapshot } from './snapshot.ts'
import { encryptedPublicCode } from './unknowns.ts'

/** Refuses to share snapshots, or an image of them, with `count` others where one of them cannot be. */
export async function checkShareable(
  db: Database,
  snapshots: readonly Pick<Snapshot, 'id' | 'kmsKeyArn'>[],
  { isPublic, count }: { readonly isPublic: boolean; readonly count: number },
): Promise<void> {
  if (count === 0) return
  for (const { id, kmsKeyArn } of snapshots) {
    if (kmsKeyArn === undefined) continue
    if (isPublic) {
      throw new ApiError(
        encryptedPublicCode,
        `Encrypted snapshots cannot be shared publicly: ${id}`,
      )
    }
    const reference = parseKeyArn(kmsKeyArn)
    const key = reference && (await findKey(db, reference))
    if (key?.manager !== 'AWS') continue
    throw new ApiError(
      'OperationNotPermitted',
      'Encrypted snapshots with EBS default key cannot be shared',
    )
  }
}
