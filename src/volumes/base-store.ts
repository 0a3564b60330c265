/** What the bases of volumes are made of, as the `volumes` table names it. */
import type { Database } from '../db/database.ts'
import type { BaseSource } from '../qemu/base-files.ts'
import { parseDigest } from '../lib/digest.ts'

/** Those of all volumes but the ones that could not be made. */
export async function listVolumeBases(db: Database): Promise<readonly BaseSource[]> {
  const rows = await db
    .selectFrom('volumes')
    .select(['base_manifest', 'kms_key_id', 'base_kms_key_id'])
    .distinct()
    .where('base_manifest', 'is not', null)
    .where('state', '!=', 'error')
    .execute()
  return rows.flatMap(
    ({ base_manifest: manifest, kms_key_id: keyId, base_kms_key_id: storedKey }) =>
      manifest === null
        ? []
        : [
            {
              base: { manifest: parseDigest(manifest), keyId: keyId ?? undefined },
              storedKeyArn: storedKey ?? undefined,
            },
          ],
  )
}
