/**
 * Keeps the promise of an instance-store image: reads its bundle into the block store,
 * then names the disk, and with that the image can become available. What a bad bundle
 * has brought in until then is named by nothing, and goes with the next garbage.
 */
import type { BlockStore } from '../block-store/block-store.ts'
import { StoredDisk } from '../block-store/stored-disk.ts'
import type { Buckets } from '../buckets/buckets.ts'
import { type Connections, transaction } from '../db/database.ts'
import { billingOf } from '../images/billing.ts'
import type { Image } from '../images/image.ts'
import { changeImageState, findImage, setImageBilling } from '../images/store.ts'
import { findPlatform } from '../imports/platform.ts'
import { digestOf } from '../lib/digest.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { BadBundle, type BundleSource, keyBeside } from './bundle.ts'
import { readManifest } from './find-bundle.ts'
import { parseManifest } from './manifest.ts'
import { readBundle } from './read-bundle.ts'
import { completeBundle, deleteBundle, findImageBundle, listDueBundles } from './store.ts'
import { badBundleReason } from './unknowns.ts'

export function bundleReconciler({
  db,
  blockStore,
  buckets,
  now,
  signal,
}: {
  readonly db: Connections
  readonly blockStore: BlockStore
  readonly buckets: Pick<Buckets, 'open'>
  readonly now: () => Date
  /** Aborted when the service closes: what is under way is begun anew after the next start. */
  readonly signal: AbortSignal
}): Reconciler<Id<'image'>> {
  const bringIn = async ({ id, accountId, region }: Image, source: BundleSource) => {
    const place = { accountId, region, bucket: source.bucket }
    const manifest = await openManifest(buckets, { ...place, ...source })
    using upload = blockStore.beginUpload()
    const disk = await readBundle(manifest, {
      upload,
      signal,
      open: (name) => buckets.open({ ...place, key: keyBeside(source.key, name) }),
      async goOn() {
        if ((await findImage(db.reads, id))?.state === 'pending') return
        throw new BadBundle('nobody waits for it any more')
      },
    })
    const platform = await findPlatform(new StoredDisk(blockStore, disk))
    await transaction(db.writes, async (tx) => {
      if (!(await completeBundle(tx, { imageId: id, disk }))) return
      await setImageBilling(tx, id, billingOf(platform))
    })
  }
  const fail = async (id: Id<'image'>, why: string) => {
    await transaction(db.writes, async (tx) => {
      const reason = { code: badBundleReason, message: `${badBundleReason}: ${why}` }
      await changeImageState(tx, { id, from: ['pending'], to: 'failed', at: now(), reason })
      await deleteBundle(tx, id)
    })
  }
  return {
    name: 'image-bundles',
    stepsAtOnceMax: 2,
    due: () => listDueBundles(db.reads),
    async step(id) {
      const bundle = await findImageBundle(db.writes, id)
      if (!bundle?.source || bundle.disk) return 'waiting'
      try {
        const image = await findImage(db.writes, id)
        if (image?.state !== 'pending') throw new BadBundle('the image was deregistered')
        await bringIn(image, bundle.source)
      } catch (error) {
        if (signal.aborted) return 'waiting'
        if (!(error instanceof BadBundle)) throw error
        await fail(id, error.message)
      }
      return 'moved'
    },
    async giveUp(id, error) {
      const isOfSystem = error instanceof Error && 'syscall' in error
      await fail(id, error instanceof Error && !isOfSystem ? error.message : 'it cannot be read')
    },
  }
}

async function openManifest(buckets: Pick<Buckets, 'open'>, place: BundleSource & Owner) {
  await using object = await buckets.open(place)
  if (!object) throw new BadBundle('its manifest is gone')
  const bytes = await readManifest(object)
  if (digestOf(bytes) !== place.digest) throw new BadBundle('its manifest is another one now')
  return parseManifest(bytes)
}
