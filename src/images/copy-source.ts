/** What an image is copied from: whether the caller sees it, and may have its disks too. */
import type { ImageBundle } from '../bundles/bundle.ts'
import { claimBundle } from '../bundles/store.ts'
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Owner } from '../lib/owner.ts'
import type { CompletedSnapshot } from '../snapshots/snapshot.ts'
import { findSnapshots, findUsableSnapshot } from '../snapshots/store.ts'
import { visibleImage } from './find.ts'
import { type Image, imageUnavailable, snapshotsOf } from './image.ts'
import { storageForbiddenCode } from './unknowns.ts'

export interface CopySource {
  readonly image: Image
  /** Each of its snapshots once. */
  readonly snapshots: readonly CompletedSnapshot[]
  /** Where its root is not on a snapshot. */
  readonly bundle: ImageBundle | undefined
}

export async function findCopySource(
  tx: Tx,
  query: Owner & {
    readonly id: string | undefined
    readonly now: Date
  },
): Promise<CopySource> {
  const { accountId, region } = query
  const image = await visibleImage(tx, query)
  if (image.state !== 'available') throw imageUnavailable(image.id)
  const bundle = await findBundle(tx, image, accountId)
  const snapshots: CompletedSnapshot[] = []
  for (const id of snapshotsOf(image)) {
    const [snapshot] = await findSnapshots(tx, [id])
    if (snapshot?.state !== 'completed' || snapshot.region !== region) throw storageUnavailable()
    // To launch one needs the image's permission alone; to copy, also that of each disk.
    const isUsable = await findUsableSnapshot(tx, { accountId, region, id })
    if (!isUsable) throw storageForbidden()
    snapshots.push(snapshot)
  }
  return { image, snapshots, bundle }
}

/** What it was made of is in its owner's bucket, which nobody else can read. */
async function findBundle(
  tx: Tx,
  image: Image,
  accountId: string,
): Promise<ImageBundle | undefined> {
  if (image.rootDeviceType === 'ebs') return undefined
  if (image.accountId !== accountId) throw storageForbidden()
  const bundle = await claimBundle(tx, image.id)
  if (!bundle?.disk) throw storageUnavailable()
  return bundle
}

function storageUnavailable(): ApiError {
  return new ApiError(
    'InvalidRequest',
    'The storage for the ami is not available in the source region.',
  )
}

function storageForbidden(): ApiError {
  return new ApiError(
    storageForbiddenCode,
    'You do not have permission to access the storage of this ami',
  )
}
