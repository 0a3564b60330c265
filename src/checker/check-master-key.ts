/** The master key: without the one that sealed them, no secret of the database can be had again. */
import type { Database } from '../db/database.ts'
import { findSealedSecret } from '../iam/store.ts'
import { findSealedMaterial } from '../kms/store.ts'
import { SealBroken, type Sealer } from '../lib/seal.ts'
import type { Finding } from './finding.ts'

const about = 'the master key'

export async function checkMasterKey(
  db: Database,
  masterKey: Sealer | undefined,
): Promise<readonly Finding[]> {
  const sample = (await findSealedMaterial(db)) ?? (await findSealedSecret(db))
  if (!sample) return []
  if (!masterKey) return [{ about, what: 'is gone, and there are keys that only it opens' }]
  try {
    masterKey.open(sample.sealed, sample.context)
    return []
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    return [{ about, what: 'is another than the one that sealed the keys' }]
  }
}
