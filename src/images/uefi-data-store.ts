/** The `image_uefi_data` table: variables of UEFI that machines begin with. Nothing else reads or writes it. */
import type { Database, Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'

/** As the owner handed it in, or as it was read of an instance. */
export async function findUefiData(
  db: Database,
  imageId: Id<'image'>,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('image_uefi_data')
    .select('data')
    .where('image_id', '=', imageId)
    .executeTakeFirst()
  return row?.data
}

export async function insertUefiData(tx: Tx, imageId: Id<'image'>, data: string): Promise<void> {
  await tx.insertInto('image_uefi_data').values({ image_id: imageId, data }).execute()
}

/** Gives an image what the one that it is made of has. */
export async function carryUefiData(
  tx: Tx,
  made: { readonly from: Id<'image'> | undefined; readonly to: Id<'image'> },
): Promise<void> {
  const { from, to } = made
  const data = from && (await findUefiData(tx, from))
  if (data !== undefined) await insertUefiData(tx, to, data)
}
