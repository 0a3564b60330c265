/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateStoreImageTask.html */
import type { CreateStoreImageTaskRequest, CreateStoreImageTaskResult } from '@aws-sdk/client-ec2'
import { parseImageId } from '../../images/image.ts'
import { isBucketName } from '../../buckets/names.ts'
import { readTags } from '../../tags/tag.ts'
import { writeOperation } from '../../wire/operation.ts'
import { describe, findStorable } from '../describe.ts'
import { descriptionBytesMax, encodeDescription } from '../description.ts'
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

const action = 'CreateStoreImageTask'

export const createStoreImageTask = writeOperation<
  CreateStoreImageTaskRequest,
  CreateStoreImageTaskResult
>({
  action: 'CreateStoreImageTask',
  permissions: ({ Bucket = '', ImageId = '' }) => [
    { action: `ec2:${action}`, resource: '*' },
    { action: 's3:PutObject', resource: `arn:aws:s3:::${Bucket}/${ImageId}.bin` },
  ],
  async run({ input, tx, caller, region, readers, now, randomBytes }) {
    const { accountId } = caller
    const { Bucket: bucket = '' } = input
    const imageId = parseImageId(input.ImageId ?? '')
    const objectTags = readTags(input.S3ObjectTags)
    const storable = await findStorable(tx, { accountId, region, id: imageId, now })
    const { sizeGiB } = storable
    const key = objectKeyOf(imageId)
    const place = { accountId, region, bucket, key }
    if (!isBucketName(bucket) || !(await readers.buckets.hasBucket(place))) {
      throw noSuchBucket(bucket)
    }
    if (await readers.buckets.hasObject(place)) throw storedAlready({ imageId, bucket })
    checkUnderWay(await sumStoringGiB(tx, accountId), storingGiBMax)
    const id = formatTaskId(now, randomBytes(8))
    const description = encodeDescription(
      await describe(tx, storable, { accountId, task: id, at: now, objectTags }),
    )
    if (description.length > descriptionBytesMax) {
      throw cannotStore(`There is too much to be said of the image ${imageId}.`)
    }
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
