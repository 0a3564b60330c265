/** The disks that images boot from, by the names of their content. */
import { listBundleDisks } from '../bundles/store.ts'
import type { Database } from '../db/database.ts'
import type { Image } from '../images/image.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Digest } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import { findSnapshots } from '../snapshots/store.ts'

export interface RootDisk {
  readonly disk: Digest
  readonly kmsKeyArn: string | undefined
  /** Nothing for a disk that came in a bundle. */
  readonly snapshotId: Id<'snapshot'> | undefined
}

type Rooted = Pick<Image, 'id' | 'rootDeviceName' | 'rootDeviceType' | 'blockDevices'>

/** Of those images whose disks are there. */
export async function disksOf(
  db: Database,
  images: readonly Rooted[],
): Promise<ReadonlyMap<Id<'image'>, RootDisk>> {
  const found = new Map<Id<'image'>, RootDisk>()
  const bundled = images.filter(({ rootDeviceType }) => rootDeviceType === 'instance-store')
  const bundles = bundled.length > 0 ? await listBundleDisks(db) : new Map<Id<'image'>, Digest>()
  for (const { id } of bundled) {
    const disk = bundles.get(id)
    if (disk) found.set(id, { disk, kmsKeyArn: undefined, snapshotId: undefined })
  }
  const roots = new Map<Id<'image'>, Id<'snapshot'>>()
  for (const image of images) {
    const root = image.blockDevices.find(({ deviceName }) => deviceName === image.rootDeviceName)
    if (root?.ebs?.snapshotId) roots.set(image.id, root.ebs.snapshotId)
  }
  const snapshots = new Map<Id<'snapshot'>, RootDisk>()
  for (const ids of inChunks([...roots.values()])) {
    for (const snapshot of await findSnapshots(db, ids)) {
      if (snapshot.state !== 'completed') continue
      const { id, manifest, kmsKeyArn } = snapshot
      snapshots.set(id, { disk: manifest, kmsKeyArn, snapshotId: id })
    }
  }
  for (const [id, snapshotId] of roots) {
    const disk = snapshots.get(snapshotId)
    if (disk) found.set(id, disk)
  }
  return found
}
