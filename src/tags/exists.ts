/**
 * What can be tagged has to be there: looks each resource up with its own kind. What its owner
 * has in the Recycle Bin is there too: its tags are all that can be changed of it.
 */
import {
  type ReportId as DeclarativeReportId,
  reportNotFound as declarativeReportNotFound,
} from '../declarative-reports/report.ts'
import { listReports as listDeclarativeReports } from '../declarative-reports/store.ts'
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { type Id, kindOf } from '../lib/ids.ts'
import { type ReportId, reportNotFound } from '../image-usage/report.ts'
import { listReports } from '../image-usage/store.ts'
import { imagesNotFound } from '../images/image.ts'
import { findVisible, isAllowed } from '../images/find.ts'
import { listRecycledImages } from '../images/life-store.ts'
import { type ImportTaskId, taskNotFound } from '../import-tasks/import-task.ts'
import { listTasks } from '../import-tasks/store.ts'
import { instanceNotFound } from '../instances/instance.ts'
import { findOwnInstance } from '../instances/store.ts'
import { keyPairIdNotFound } from '../key-pairs/key-pair.ts'
import { listKeyPairs } from '../key-pairs/store.ts'
import { findGroup, listRules } from '../network/group-store.ts'
import { listInterfaces } from '../network/interface-store.ts'
import { interfaceNotFound } from '../network/network-interface.ts'
import { ruleNotFound } from '../network/security-group-rule.ts'
import { groupNotFound } from '../network/security-group.ts'
import { findSubnet, findVpc } from '../network/store.ts'
import { subnetNotFound } from '../network/subnet.ts'
import { vpcNotFound } from '../network/vpc.ts'
import { listRecycledSnapshots } from '../snapshots/life-store.ts'
import { snapshotNotFound } from '../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { listRecycledVolumes } from '../volumes/life-store.ts'
import { findVolume } from '../volumes/store.ts'
import { volumeNotFound } from '../volumes/volume.ts'
import type { ResourceType } from './tag.ts'

interface Kind {
  /** The resource, where the account has it or may see it. */
  readonly find: (db: Database, viewer: Viewer, id: never) => Promise<unknown>
  readonly notFound: (id: string) => ApiError
}

interface Viewer {
  readonly accountId: string
  readonly region: string
  readonly now: Date
}

const importTask: Kind = {
  find: async (db, owner, id: ImportTaskId) =>
    (await listTasks(db, owner)).find((one) => one.id === id),
  notFound: taskNotFound,
}

const kinds: Readonly<Partial<Record<ResourceType, Kind>>> = {
  'declarative-policies-report': {
    find: async (db, owner, id: DeclarativeReportId) =>
      (await listDeclarativeReports(db, owner)).find((one) => one.id === id),
    notFound: declarativeReportNotFound,
  },
  image: {
    // One puts one's own tags on public and shared images and snapshots too, where one's account allows them.
    find: async (db, viewer, id: Id<'image'>) => {
      const image = await findVisible(db, { ...viewer, id })
      if (image) return await isAllowed(db, viewer, image)
      return (await listRecycledImages(db, { ...viewer, ids: [id] }))[0]
    },
    notFound: (id) => imagesNotFound([id]),
  },
  'image-usage-report': {
    find: async (db, owner, id: ReportId) =>
      (await listReports(db, owner)).find((one) => one.id === id),
    notFound: reportNotFound,
  },
  'import-image-task': importTask,
  'import-snapshot-task': importTask,
  instance: {
    find: (db, owner, id: Id<'instance'>) => findOwnInstance(db, { ...owner, id }),
    notFound: (id) => instanceNotFound([id]),
  },
  'key-pair': {
    find: async (db, owner, id: Id<'key-pair'>) =>
      (await listKeyPairs(db, owner)).find((one) => one.id === id),
    notFound: keyPairIdNotFound,
  },
  'network-interface': {
    find: async (db, owner, id: Id<'network-interface'>) =>
      (await listInterfaces(db, owner)).find((one) => one.id === id),
    notFound: interfaceNotFound,
  },
  'security-group': {
    find: (db, owner, id: Id<'security-group'>) => findGroup(db, { ...owner, id }),
    notFound: groupNotFound,
  },
  'security-group-rule': {
    find: async (db, owner, id: Id<'security-group-rule'>) =>
      (await listRules(db, owner)).find((one) => one.id === id),
    notFound: ruleNotFound,
  },
  snapshot: {
    find: async (db, owner, id: Id<'snapshot'>) =>
      (await findUsableSnapshot(db, { ...owner, id })) ??
      (await listRecycledSnapshots(db, { ...owner, ids: [id] }))[0],
    notFound: snapshotNotFound,
  },
  subnet: {
    find: (db, owner, id: Id<'subnet'>) => findSubnet(db, { ...owner, id }),
    notFound: subnetNotFound,
  },
  volume: {
    find: async (db, owner, id: Id<'volume'>) =>
      (await findVolume(db, { ...owner, id })) ??
      (await listRecycledVolumes(db, { ...owner, ids: [id] }))[0],
    notFound: volumeNotFound,
  },
  vpc: {
    find: (db, owner, id: Id<'vpc'>) => findVpc(db, { ...owner, id }),
    notFound: vpcNotFound,
  },
}

export interface Resource {
  readonly resourceId: string
  readonly resourceType: ResourceType
}

/** Tells the kinds of the resources. Refuses an id of none. */
export function readResources(ids: readonly string[]): readonly Resource[] {
  return [...new Set(ids)].map((resourceId) => {
    const kind = kindOf(resourceId)
    const isTagged =
      kind !== undefined &&
      kind !== 'instance-profile-association' &&
      kind !== 'network-interface-attachment' &&
      kind !== 'reservation'
    if (!isTagged) throw new ApiError('InvalidID', `The ID '${resourceId}' is not valid`)
    return { resourceId, resourceType: kind }
  })
}

/** Throws the kind's own error for the first resource that is not there. */
export async function checkExists(
  db: Database,
  viewer: Viewer,
  resources: readonly Resource[],
): Promise<void> {
  for (const { resourceId, resourceType } of resources) {
    const kind = kinds[resourceType]
    // `kindOf` has found the id to be of this kind.
    if (kind && (await kind.find(db, viewer, resourceId as never))) continue
    if (kind) throw kind.notFound(resourceId)
    throw new ApiError('InvalidID', `The ID '${resourceId}' is not valid`)
  }
}
