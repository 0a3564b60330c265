/** Which keys the `volumes` table names. */
import type { Database } from '../db/database.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'

/** The encrypted volumes that could be made, with the ARNs of their keys and of those of their bases. */
export async function listVolumeKeys(
  db: Database,
): Promise<readonly { readonly id: Id<'volume'>; readonly kmsKeyArn: string }[]> {
  const rows = await db
    .selectFrom('volumes')
    .select(['id', 'kms_key_id', 'base_kms_key_id'])
    .where('kms_key_id', 'is not', null)
    .where('state', '<>', 'error')
    .orderBy('id')
    .execute()
  return rows.flatMap(({ id, kms_key_id: own, base_kms_key_id: base }) =>
    [own, base].flatMap((kmsKeyArn) => (kmsKeyArn === null ? [] : [{ id, kmsKeyArn }])),
  )
}

/** The encrypted disks that volumes are made of, or go on from, with the ARNs of the keys of these. */
export async function listVolumeDisks(
  db: Database,
): Promise<readonly { readonly manifest: Digest; readonly kmsKeyArn: string }[]> {
  const rows = await db
    .selectFrom('volumes')
    .select(['base_manifest', 'base_kms_key_id', 'known_manifest', 'kms_key_id'])
    .distinct()
    .execute()
  return rows.flatMap((row) =>
    [
      { manifest: row.base_manifest, kmsKeyArn: row.base_kms_key_id },
      { manifest: row.known_manifest, kmsKeyArn: row.kms_key_id },
    ].flatMap(({ manifest, kmsKeyArn }) =>
      manifest === null || kmsKeyArn === null
        ? []
        : [{ manifest: parseDigest(manifest), kmsKeyArn }],
    ),
  )
}
