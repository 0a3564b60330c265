/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateStoreImageTask.html */
import type { CreateStoreImageTaskRequest, CreateStoreImageTaskResult } from '@aws-sdk/client-ec2'
import { type Image, parseImageId } from '../../images/image.ts'
import { demandOn } from '../../iam/demand.ts'
import { ec2Demands } from '../../iam/ec2-touched.ts'
import { isBucketName } from '../../buckets/names.ts'
import { readTags } from '../../tags/tag.ts'
import { requireReadable } from '../../volumes/encryption.ts'
import { type CallContext, writeOperation } from '../../wire/operation.ts'
import { describe, findStorable } from '../describe.ts'
import { descriptionBytesMax, encodeDescription, parseDescription } from '../description.ts'
import { BadObject } from '../reading.ts'
import { insertStoreTask, sumStoringGiB } from '../store.ts'
import {
  cannotStore,
  checkUnderWay,
  formatTaskId,
  noSuchBucket,
  objectKeyOf,
  storedAlready,
  storingGiBMax,
} from '../store-task.ts'

/** What there is in the bucket when the call comes. */
interface Found {
  readonly hasBucket: boolean
  readonly hasObject: boolean
}

export const createStoreImageTask = writeOperation<
  CreateStoreImageTaskRequest,
  CreateStoreImageTaskResult,
  Found
>({
  action: 'CreateStoreImageTask',
  demands: async (input, context) => [
    ...(await ec2Demands('CreateStoreImageTask', input, context)),
    demandOn('s3:PutObject', `arn:aws:s3:::${input.Bucket}/${input.ImageId}.bin`),
  ],
  // Whatever the bucket lies on, nobody else waits for it.
  prepare: lookInto,
  async run(call, { hasBucket, hasObject }) {
    const { input, tx, caller, region, now, randomBytes } = call
    const { accountId } = caller
    const { Bucket: bucket = '' } = input
    const imageId = parseImageId(input.ImageId ?? '')
    const objectTags = readTags(input.S3ObjectTags)
    const storable = await findStorable(tx, { accountId, region, id: imageId, now })
    const { sizeGiB } = storable
    // The object is plain, so who has it stored has to be allowed to read it.
    for (const snapshot of storable.snapshots) await requireReadable(call, snapshot)
    const key = objectKeyOf(imageId)
    const place = { accountId, region, bucket, key }
    if (!hasBucket) throw noSuchBucket(bucket)
    if (hasObject) throw storedAlready({ imageId, bucket })
    checkUnderWay(await sumStoringGiB(tx, accountId), storingGiBMax)
    const id = formatTaskId(now, randomBytes(8))
    const description = encodeDescription(
      await describe(tx, storable, { accountId, task: id, at: now, objectTags }),
    )
    checkRestorable(imageId, description)
    const isFirst = await insertStoreTask(tx, {
      ...place,
      id,
      imageId,
      state: 'InProgress',
      failureReason: undefined,
      progressPercent: 0,
      startedAt: now,
      sizeGiB,
      description: description.toString(),
    })
    if (!isFirst) throw storedAlready({ imageId, bucket })
    return { ObjectKey: key }
  },
})

/** What could not be made an image of again is not stored, lest somebody relies on it. */
function checkRestorable(imageId: Image['id'], description: Buffer): void {
  if (description.length > descriptionBytesMax) {
    throw cannotStore(`There is too much to be said of the image ${imageId}.`)
  }
  try {
    parseDescription(description)
  } catch (error) {
    if (!(error instanceof BadObject)) throw error
    throw cannotStore(`The image ${imageId} could not be restored: ${error.why}.`)
  }
}

async function lookInto(
  { Bucket: bucket = '', ImageId = '' }: CreateStoreImageTaskRequest,
  { readers, caller, region }: CallContext,
): Promise<Found> {
  const key = objectKeyOf(parseImageId(ImageId))
  const place = { accountId: caller.accountId, region, bucket, key }
  const { buckets } = readers
  const hasBucket = isBucketName(bucket) && (await buckets.hasBucket(place))
  return { hasBucket, hasObject: hasBucket && (await buckets.hasObject(place)) }
}
