/**
 * The tag by which policies and people tell what is in the Recycle Bin. The service puts it and
 * takes it away; nobody else can, and it does not count.
 * https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin-concepts.html
 */
import type { Tx } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { putTags, removeTags } from '../tags/store.ts'

const mark = { key: 'aws:recycle-bin:resource-in-bin', value: 'true' } as const

/** Where it is owned, and what it is. */
type Recycled = Owner & { readonly id: Id<'image' | 'snapshot' | 'volume'> }

export async function markRecycled(
  tx: Tx,
  { accountId, region, id }: Recycled,
  resourceType: 'image' | 'snapshot' | 'volume',
): Promise<void> {
  await putTags(tx, { accountId, region, resourceType, resourceId: id, tags: [mark] })
}

export async function unmarkRecycled(tx: Tx, { accountId, id }: Recycled): Promise<void> {
  await removeTags(tx, { accountId, resourceId: id, tags: [{ key: mark.key }] })
}
