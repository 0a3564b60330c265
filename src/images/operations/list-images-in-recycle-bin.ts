/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ListImagesInRecycleBin.html */
import type {
  ListImagesInRecycleBinRequest,
  ListImagesInRecycleBinResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { imagesNotFound, parseImageId } from '../image.ts'
import { listRecycledImages } from '../life-store.ts'

const idsMax = 20

export const listImagesInRecycleBin = readOperation<
  ListImagesInRecycleBinRequest,
  ListImagesInRecycleBinResult
>({
  action: 'ListImagesInRecycleBin',
  async run({ input, db, caller, region }) {
    const ids = input.ImageIds && [...new Set(input.ImageIds.map(parseImageId))]
    if (ids && ids.length > idsMax) {
      throw new ApiError('InvalidParameterValue', `A call can name at most ${idsMax} images.`)
    }
    const { accountId } = caller
    const all = await listRecycledImages(db, { accountId, region, ids })
    const missing = ids?.filter((id) => !all.some((image) => image.id === id)) ?? []
    if (missing.length > 0) throw imagesNotFound(missing)
    const { items, NextToken } = page(all, input, ({ id }) => id)
    const Images = items.map((image) => ({
      ImageId: image.id,
      Name: image.name,
      Description: image.description,
      RecycleBinEnterTime: image.recycledAt,
      RecycleBinExitTime: image.recycleExitAt,
    }))
    return { Images, ...(NextToken && { NextToken }) }
  },
})
