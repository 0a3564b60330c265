/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRestoreImageTask.html */
import type {
  CreateRestoreImageTaskRequest,
  CreateRestoreImageTaskResult,
} from '@aws-sdk/client-ec2'
import { demandOn } from '../../iam/demand.ts'
import { ec2Demands } from '../../iam/ec2-touched.ts'
import { isBucketName, isObjectKey } from '../../buckets/names.ts'
import { diskOfSnapshot } from '../../images/block-devices.ts'
import { checkImageName } from '../../images/image.ts'
import { insertImage, requireFreeName } from '../../images/store.ts'
import { checkUefiData } from '../../images/uefi-data.ts'
import { insertUefiData } from '../../images/uefi-data-store.ts'
import { addWatermarks } from '../../images/watermark-store.ts'
import type { Id } from '../../lib/ids.ts'
import { noVolumeId } from '../../snapshots/snapshot.ts'
import { insertSnapshot } from '../../snapshots/store.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { checkTags, withTags } from '../../tags/tag.ts'
import { requireEncryption } from '../../volumes/encryption.ts'
import { type CallContext, writeOperation } from '../../wire/operation.ts'
import { BadObject } from '../reading.ts'
import { insertRestore, sumRestoringGiB } from '../store.ts'
import {
  badObject,
  checkUnderWay,
  noSuchBucket,
  noSuchKey,
  restoringGiBMax,
} from '../store-task.ts'
import { readHead, type StoredImageHead } from '../stored-object.ts'

export const createRestoreImageTask = writeOperation<
  CreateRestoreImageTaskRequest,
  CreateRestoreImageTaskResult,
  StoredImageHead
>({
  action: 'CreateRestoreImageTask',
  demands: async (input, context) => [
    ...(await ec2Demands('CreateRestoreImageTask', input, context)),
    demandOn('s3:GetObject', `arn:aws:s3:::${input.Bucket}/${input.ObjectKey}`),
  ],
  // Whatever the bucket lies on, nobody else waits for it.
  prepare: findHead,
  async run(call, { description, digest }) {
    const { input, tx, caller, region, now, newId } = call
    const { accountId } = caller
    const { Bucket: bucket = '', ObjectKey: key = '' } = input
    if (input.Name !== undefined) checkImageName(input.Name)
    const tags = tagsOnCreate(input.TagSpecifications, ['image', 'snapshot'])
    const { image: source, disks } = description
    const name = input.Name ?? source.name
    await requireFreeName(tx, { accountId, region, name })
    checkUnderWay(await sumRestoringGiB(tx, accountId), restoringGiBMax)

    // An object is plain, whatever the image was; what comes of it is as the account says.
    const encryption = await requireEncryption(call, {})
    const kmsKeyArn = encryption && { kmsKeyArn: encryption.arn }
    const id = newId('image')
    const snapshotOf = new Map<Id<'snapshot'>, Id<'snapshot'>>()
    for (const disk of disks) {
      const snapshotId = newId('snapshot')
      snapshotOf.set(disk.snapshotId, snapshotId)
      await insertSnapshot(tx, {
        id: snapshotId,
        accountId,
        region,
        volumeId: noVolumeId,
        volumeSizeGiB: disk.sizeGiB,
        description: `Restored for ${id} from ${disk.snapshotId} of ${source.id}`,
        startedAt: now,
        progressPercent: 0,
        freezeId: undefined,
        layer: undefined,
        ...kmsKeyArn,
        state: 'pending',
      })
      await putTags(tx, {
        accountId,
        region,
        resourceType: 'snapshot',
        resourceId: snapshotId,
        tags: checkTags(withTags(disk.tags, tags.get('snapshot') ?? [])),
      })
    }
    await insertImage(tx, {
      id,
      accountId,
      region,
      name,
      description: source.description,
      location: `${accountId}/${name}`,
      state: 'pending',
      stateReason: undefined,
      createdAt: now,
      deregisteredAt: undefined,
      architecture: source.architecture,
      bootMode: source.bootMode,
      rootDeviceName: source.rootDeviceName,
      rootDeviceType: 'ebs',
      virtualizationType: source.virtualizationType,
      platform: source.platform,
      platformDetails: source.platformDetails,
      usageOperation: source.usageOperation,
      enaSupport: source.enaSupport,
      sriovNetSupport: source.sriovNetSupport,
      imdsSupport: source.imdsSupport,
      tpmSupport: source.tpmSupport,
      isPublic: false,
      sourceInstanceId: undefined,
      sourceImageId: source.id,
      sourceImageRegion: source.region,
      lastLaunchedAt: undefined,
      blockDevices: source.blockDevices.map((device) => {
        const { ebs } = device
        const snapshotId = ebs?.snapshotId && snapshotOf.get(ebs.snapshotId)
        if (!ebs || !snapshotId) return device
        return { ...device, ebs: { ...ebs, ...diskOfSnapshot({ id: snapshotId, ...kmsKeyArn }) } }
      }),
    })
    if (source.uefiData !== undefined) await insertUefiData(tx, id, source.uefiData)
    await addWatermarks(tx, id, source.watermarks)
    await putTags(tx, {
      accountId,
      region,
      resourceType: 'image',
      resourceId: id,
      tags: checkTags(withTags(source.tags, tags.get('image') ?? [])),
    })
    await insertRestore(tx, {
      imageId: id,
      accountId,
      region,
      bucket,
      key,
      snapshotIds: [...snapshotOf.values()],
      descriptionDigest: digest,
      sizeGiB: disks.reduce((sum, { sizeGiB }) => sum + sizeGiB, 0),
    })
    return { ImageId: id }
  },
})

/** What the object says of itself. The rest of it is read when the call has answered. */
async function findHead(
  { Bucket: bucket = '', ObjectKey: key = '' }: CreateRestoreImageTaskRequest,
  { readers, caller, region }: CallContext,
): Promise<StoredImageHead> {
  const place = { accountId: caller.accountId, region, bucket, key }
  if (!isBucketName(bucket) || !(await readers.buckets.hasBucket(place))) throw noSuchBucket(bucket)
  if (!isObjectKey(key)) throw noSuchKey(key)
  await using object = await readers.buckets.open(place)
  if (!object) throw noSuchKey(key)
  try {
    const head = await readHead(object)
    const { uefiData } = head.description.image
    if (uefiData !== undefined) checkUefiData(uefiData, readers.uefiDictionary)
    return head
  } catch (error) {
    if (error instanceof BadObject) throw badObject(error.message)
    throw error
  }
}
