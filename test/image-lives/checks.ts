/** What holds at every moment of a life of images, for each account and each image. */
import assert from 'node:assert/strict'
import type { DescribeImagesRequest, DescribeImagesResult } from '@aws-sdk/client-ec2'
import { blocksOf } from '../../src/block-store/manifest.ts'
import { readAll } from '../../src/block-store/testing.ts'
import { copyImage } from '../../src/images/operations/copy-image.ts'
import { describeImageAttribute } from '../../src/images/operations/describe-image-attribute.ts'
import { describeImages } from '../../src/images/operations/describe-images.ts'
import { runInstances } from '../../src/instances/operations/run-instances.ts'
import type { Digest } from '../../src/lib/digest.ts'
import { listLiveManifests } from '../../src/snapshots/live-manifests.ts'
import { findSnapshot } from '../../src/snapshots/store.ts'
import {
  accounts,
  mayCopy,
  mayLaunch,
  maySee,
  type ModelImage,
  regions,
  type World,
} from './world.ts'

const all = { IncludeDeprecated: true, IncludeDisabled: true }

/** Lists have what their reader may see, and tags of nobody else's. */
export async function checkLists(world: World, withOwners: boolean): Promise<void> {
  const nowMs = world.now().getTime()
  const ids = (images: readonly ModelImage[]) => images.map(({ id }) => id).sort()
  for (const account of accounts) {
    for (const region of regions) {
      const list = async (input: DescribeImagesRequest) => {
        const { Images = [] } = await world.call<DescribeImagesResult>(
          describeImages,
          account,
          region,
          input,
        )
        for (const { ImageId, Tags = [], ImageWatermarks = [] } of Images) {
          assert(Tags.every(({ Key }) => Key === `of ${account}`))
          const marks = world.images.find(({ id }) => id === ImageId)?.marks ?? []
          assert.deepEqual(
            ImageWatermarks.map(({ WatermarkKey = '' }) => WatermarkKey).sort(),
            [...marks].sort(),
          )
        }
        return Images.map(({ ImageId }) => ImageId)
      }
      const visible = world.images.filter(
        (image) => image.region === region && maySee(world, image, account),
      )
      assert.deepEqual(await list(all), ids(visible))
      const inForce = visible.filter(
        ({ owner, state, deprecatesAtMs }) =>
          state !== 'disabled' && (owner === account || deprecatesAtMs > nowMs),
      )
      assert.deepEqual(await list({}), ids(inForce))
      if (!withOwners) continue
      const own = visible.filter(({ owner }) => owner === account)
      assert.deepEqual(await list({ ...all, Owners: ['self'] }), ids(own))
      const everyones = visible.filter(({ grantees }) => grantees.has('all'))
      assert.deepEqual(await list({ ...all, ExecutableUsers: ['all'] }), ids(everyones))
    }
  }
}

/** Nobody gets at an image that is not for them, by whatever call, and everybody at those that are. */
export async function checkUses(world: World): Promise<void> {
  const { refusal, images } = world
  for (const image of images) {
    const { id: ImageId, region, owner } = image
    for (const account of accounts) {
      const isSeen = maySee(world, image, account)
      const what = `${account} and ${JSON.stringify(image)}`
      const describe = (Attribute: string) =>
        refusal(describeImageAttribute, account, region, { ImageId, Attribute })
      const byId = await refusal(describeImages, account, region, { ...all, ImageIds: [ImageId] })
      assert.equal(byId, isSeen ? undefined : 'InvalidAMIID.NotFound', what)
      const isHere = await refusal(
        describeImages,
        account,
        regions[region === regions[0] ? 1 : 0],
        {
          ...all,
          ImageIds: [ImageId],
        },
      )
      assert.equal(isHere, 'InvalidAMIID.NotFound', what)
      assert.equal((await describe('description')) === undefined, isSeen, what)
      const isOwner = isSeen && owner === account
      assert.equal((await describe('launchPermission')) === undefined, isOwner, what)
      assert.equal((await describe('blockDeviceMapping')) === 'AuthFailure', isSeen, what)
      const launched = await refusal(runInstances, account, region, {
        ImageId,
        MinCount: 1,
        MaxCount: 1,
        InstanceType: 't3.nano',
      })
      assert.equal(launched === undefined, mayLaunch(world, image, account), `${launched} ${what}`)
      for (const to of regions) {
        const input = { SourceRegion: region, SourceImageId: ImageId, Name: 'of its own' }
        const copied = await refusal(copyImage, account, to, input)
        assert.equal(copied === undefined, mayCopy(world, image, account), `${copied} ${what}`)
      }
    }
  }
}

/** Disks are there as long as somebody said, and of an image that is gone nothing lingers. */
export async function checkRemains({ db, images, disks }: World): Promise<void> {
  for (const { id, isThere } of disks) {
    assert.equal((await findSnapshot(db.reads, id)) !== undefined, isThere, id)
  }
  for (const { id, state, disk } of images) {
    if (state === 'available' || state === 'disabled') assert(disk.isThere, `${id} has no disk`)
    if (state !== 'gone') continue
    const shares = await db.reads
      .selectFrom('image_permissions')
      .where('image_id', '=', id)
      .selectAll()
      .execute()
    const tags = await db.reads
      .selectFrom('tags')
      .where('resource_id', '=', id)
      .selectAll()
      .execute()
    assert.deepEqual([...shares, ...tags], [], `of ${id} there is still something`)
  }
}

/** After a garbage collection the store has what the disks that are left need, and no more. */
export async function checkBlocks({ db, store, disks }: World): Promise<void> {
  await store.collectGarbage({ live: () => listLiveManifests(db.reads) })
  const manifests = new Set(
    disks.flatMap(({ isThere, manifest }) => (isThere && manifest ? [manifest] : [])),
  )
  const blocks = new Set<Digest>()
  for (const manifest of manifests) {
    await readAll(store, manifest)
    for (const [, digest] of blocksOf(await store.readManifest(manifest))) blocks.add(digest)
  }
  const usage = store.usage()
  assert.deepEqual([usage.manifests, usage.blocks], [manifests.size, blocks.size])
}
