/** The `disk_keys` table. Nothing else reads or writes it. */
import type { Database, Tx } from '../db/database.ts'

/** Keeps the disk key of a KMS key, as it was sealed. Tells whether there was none yet. */
export async function insertDiskKey(tx: Tx, arn: string, sealed: Uint8Array): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('disk_keys')
    .values({ key_arn: arn, sealed: Buffer.from(sealed).toString('base64') })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

export async function findDiskKey(db: Database, arn: string): Promise<Uint8Array | undefined> {
  const row = await db
    .selectFrom('disk_keys')
    .select('sealed')
    .where('key_arn', '=', arn)
    .executeTakeFirst()
  return row && Buffer.from(row.sealed, 'base64')
}

/** Every KMS key that has encrypted a disk, by its ARN. */
export async function listDiskKeyArns(db: Database): Promise<readonly string[]> {
  const rows = await db.selectFrom('disk_keys').select('key_arn').orderBy('key_arn').execute()
  return rows.map((row) => row.key_arn)
}

/** Forgets the disk key of a KMS key that is erased: nothing can open it any more. */
export async function deleteDiskKey(tx: Tx, arn: string): Promise<void> {
  await tx.deleteFrom('disk_keys').where('key_arn', '=', arn).execute()
}
