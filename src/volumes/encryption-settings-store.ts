/** The `encryption_settings` table. Where it has no row, an account still has what it began with. */
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'

export interface EncryptionSettings {
  /** Whether disks that nobody says anything of are encrypted. */
  readonly encryptsByDefault: boolean
  /** The ARN of the key where none is named; nothing for the one that AWS manages. */
  readonly kmsKeyArn: string | undefined
}

const firstSettings: EncryptionSettings = { encryptsByDefault: false, kmsKeyArn: undefined }

export async function findEncryptionSettings(
  db: Database,
  { accountId, region }: Owner,
): Promise<EncryptionSettings> {
  const row = await db
    .selectFrom('encryption_settings')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .executeTakeFirst()
  if (!row) return firstSettings
  return {
    encryptsByDefault: row.encrypts_by_default === 1,
    kmsKeyArn: row.kms_key_id ?? undefined,
  }
}

export async function setEncryptsByDefault(
  tx: Tx,
  { accountId, region }: Owner,
  isOn: boolean,
): Promise<void> {
  const encrypts_by_default = toFlag(isOn)
  await tx
    .insertInto('encryption_settings')
    .values({ account_id: accountId, region, encrypts_by_default, kms_key_id: null })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'region']).doUpdateSet({ encrypts_by_default }),
    )
    .execute()
}

/** Nothing goes back to the key that AWS manages. */
export async function setDefaultKey(
  tx: Tx,
  { accountId, region }: Owner,
  kmsKeyArn: string | undefined,
): Promise<void> {
  const kms_key_id = kmsKeyArn ?? null
  await tx
    .insertInto('encryption_settings')
    .values({ account_id: accountId, region, encrypts_by_default: 0, kms_key_id })
    .onConflict((conflict) =>
      conflict.columns(['account_id', 'region']).doUpdateSet({ kms_key_id }),
    )
    .execute()
}
