/** The `launch_roots` table: what took the place of the roots that machines were launched with. It goes with the launch. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { LaterRoot } from './launch.ts'

export async function insertRoot(tx: Tx, root: LaterRoot): Promise<void> {
  await tx
    .insertInto('launch_roots')
    .values({
      task_id: root.taskId,
      instance_id: root.instanceId,
      image_id: root.image?.imageId ?? null,
      image_name: root.image?.imageName ?? null,
      image_owner_id: root.image?.imageOwnerId ?? null,
      snapshot_id: root.snapshotId ?? null,
      volume_id: root.volumeId,
      replaced_at_ms: root.replacedAt.getTime(),
    })
    .execute()
}

/** Those of a machine, in the order in which they came. */
export async function listRoots(db: Database, id: Id<'instance'>): Promise<readonly LaterRoot[]> {
  const rows = await db
    .selectFrom('launch_roots')
    .selectAll()
    .where('instance_id', '=', id)
    .orderBy('replaced_at_ms')
    .orderBy('task_id')
    .execute()
  return rows.map(fromRow)
}

/** The images that roots of machines of an account in a Region were replaced by, or of all accounts; of machines that are there. */
export async function listRootImages(
  db: Database,
  { accountId, region }: { readonly accountId: string | undefined; readonly region: string },
): Promise<readonly Id<'image'>[]> {
  const rows = await db
    .selectFrom('launch_roots')
    .innerJoin('launches', 'launches.instance_id', 'launch_roots.instance_id')
    .select('launch_roots.image_id')
    .distinct()
    .where('launches.region', '=', region)
    .where('launches.ended_at_ms', 'is', null)
    .$if(accountId !== undefined, (select) =>
      select.where('launches.account_id', '=', accountId ?? ''),
    )
    .execute()
  return rows.flatMap((row) => row.image_id ?? [])
}

/** The machines whose roots were replaced by each of some images. */
export async function listMachinesByRoot(
  db: Database,
  imageIds: readonly Id<'image'>[],
): Promise<ReadonlyMap<Id<'instance'>, ReadonlySet<Id<'image'>>>> {
  const found = new Map<Id<'instance'>, Set<Id<'image'>>>()
  for (const ids of inChunks(imageIds)) {
    const rows = await db
      .selectFrom('launch_roots')
      .select(['instance_id', 'image_id'])
      .where('image_id', 'in', ids)
      .execute()
    for (const { instance_id: instanceId, image_id: imageId } of rows) {
      if (imageId !== null) found.set(instanceId, (found.get(instanceId) ?? new Set()).add(imageId))
    }
  }
  return found
}

const fromRow = (row: Selectable<Tables['launch_roots']>): LaterRoot => ({
  taskId: row.task_id,
  instanceId: row.instance_id,
  image:
    row.image_id === null
      ? undefined
      : {
          imageId: row.image_id,
          imageName: row.image_name ?? undefined,
          imageOwnerId: row.image_owner_id ?? undefined,
        },
  snapshotId: row.snapshot_id ?? undefined,
  volumeId: row.volume_id,
  replacedAt: new Date(row.replaced_at_ms),
})
