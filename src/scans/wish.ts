/** An image that becomes available is to be scanned. */
import type { Tx } from '../db/database.ts'
import { disksOf } from './disks-of.ts'
import { insertScan } from './store.ts'

export async function wishScan(
  tx: Tx,
  image: Parameters<typeof disksOf>[1][number],
): Promise<void> {
  const root = (await disksOf(tx, [image])).get(image.id)
  if (root) await insertScan(tx, root)
}
