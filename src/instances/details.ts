/** Instances with all that belongs to them, and whole reservations as EC2 answers them. */
import type { Instance as InstanceOutput, Reservation } from '@aws-sdk/client-ec2'
import type { Database } from '../db/database.ts'
import { listAssociations } from '../instance-profiles/store.ts'
import type { Owner } from '../lib/owner.ts'
import { listGroups } from '../network/group-store.ts'
import { listInterfaces } from '../network/interface-store.ts'
import { listTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import { listAttachments } from '../volumes/store.ts'
import type { Instance } from './instance.ts'
import { viewInstance } from './view.ts'

export interface ViewedInstance {
  readonly instance: Instance
  readonly view: InstanceOutput
  /** Of all its interfaces. */
  readonly interfaceTags: readonly Tag[]
}

/** Looks up what belongs to `instances`, which are all the owner's, in a few queries. */
export async function viewInstances(
  db: Database,
  owner: Owner,
  instances: readonly Instance[],
): Promise<readonly ViewedInstance[]> {
  if (instances.length === 0) return []
  const ids = instances.map(({ id }) => id)
  const { accountId, region } = owner
  const attachments = groupBy(
    await listAttachments(db, { instanceIds: ids }),
    ({ instanceId }) => instanceId,
  )
  const allInterfaces = await listInterfaces(db, { instanceIds: ids })
  const interfaces = groupBy(allInterfaces, ({ attachment }) => attachment?.instanceId ?? '')
  const resourceIds = [...ids, ...allInterfaces.map(({ id }) => id)]
  const tags = await listTags(db, { accountId, region, resourceIds })
  const profiles = new Map(
    (await listAssociations(db, owner)).map((association) => [association.instanceId, association]),
  )
  const groups = await listGroups(db, owner)
  const names = new Map(groups.map(({ id, name }) => [id, name]))
  return instances.map((instance) => {
    const details = {
      instance,
      attachments: attachments.get(instance.id) ?? [],
      interfaces: interfaces.get(instance.id) ?? [],
      tags: tags.get(instance.id) ?? [],
      profile: profiles.get(instance.id),
    }
    const interfaceTags = details.interfaces.flatMap(({ id }) => tags.get(id) ?? [])
    return { instance, view: viewInstance(details, names), interfaceTags }
  })
}

/** Instances that were launched by one call stand together, in the order of the first of each. */
export function viewReservations(viewed: readonly ViewedInstance[]): Reservation[] {
  const together = groupBy(viewed, ({ instance }) => instance.reservationId)
  return [...together].map(([id, members]) => ({
    ReservationId: id,
    OwnerId: members[0]?.instance.accountId,
    Groups: [],
    Instances: members
      .toSorted((a, b) => a.instance.launchIndex - b.instance.launchIndex)
      .map(({ view }) => view),
  }))
}

function groupBy<Item>(
  items: readonly Item[],
  key: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  return Map.groupBy(items, key)
}
