/** The part of the `instances` table that says which machines are on which image. */
import type { Database } from '../db/database.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'

/** Every image that a machine of an account is on, or of any account. */
export async function listImagesInUse(
  db: Database,
  { accountId, region }: { readonly accountId: string | undefined; readonly region: string },
): Promise<readonly Id<'image'>[]> {
  const rows = await db
    .selectFrom('instances')
    .select('image_id')
    .distinct()
    .where('region', '=', region)
    .where('state', '<>', 'terminated')
    .$if(accountId !== undefined, (select) => select.where('account_id', '=', accountId ?? ''))
    .execute()
  return rows.map((row) => row.image_id)
}

export interface MachineCount {
  readonly imageId: Id<'image'>
  readonly accountId: string
  readonly isRunning: boolean
  readonly count: number
}

/** How many machines of each account were launched from each of some images. */
export async function countMachinesOf(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<readonly MachineCount[]> {
  const found: MachineCount[] = []
  for (const ids of inChunks(imageIds)) {
    const rows = await db
      .selectFrom('instances')
      .select((of) => ['image_id', 'account_id', 'state', of.fn.countAll<number>().as('count')])
      .where('image_id', 'in', ids)
      .where('state', '<>', 'terminated')
      .groupBy(['image_id', 'account_id', 'state'])
      .orderBy('account_id')
      .execute()
    for (const row of rows) {
      found.push({
        imageId: row.image_id,
        accountId: row.account_id,
        isRunning: row.state === 'running',
        count: Number(row.count),
      })
    }
  }
  return found
}

/** Of some machines those that are there. */
export async function listMachines(
  db: Database,
  instanceIds: readonly Id<'instance'>[],
): Promise<readonly (Omit<MachineCount, 'count'> & { readonly id: Id<'instance'> })[]> {
  const found = []
  for (const ids of inChunks(instanceIds)) {
    const rows = await db
      .selectFrom('instances')
      .select(['id', 'image_id', 'account_id', 'state'])
      .where('id', 'in', ids)
      .where('state', '<>', 'terminated')
      .execute()
    for (const { id, image_id: imageId, account_id: accountId, state } of rows) {
      found.push({ id, imageId, accountId, isRunning: state === 'running' })
    }
  }
  return found
}
