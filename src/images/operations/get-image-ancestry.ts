/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetImageAncestry.html */
import type { GetImageAncestryRequest, GetImageAncestryResult } from '@aws-sdk/client-ec2'
import { listProviders } from '../../iam/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { visibleImage } from '../find.ts'
import type { Image } from '../image.ts'
import { findImage } from '../store.ts'

export const getImageAncestry = readOperation<GetImageAncestryRequest, GetImageAncestryResult>({
  action: 'GetImageAncestry',
  async run({ input, db, caller, region, now }) {
    const { accountId } = caller
    let image: Image | undefined = await visibleImage(db, {
      accountId,
      region,
      id: input.ImageId,
      now,
    })
    const aliases = new Map((await listProviders(db)).map(({ id, alias }) => [id, alias]))
    const ImageAncestryEntries = []
    // An image is older than all that is made of it, so the chain comes to an end. It goes on
    // through images that are gone, or that the caller does not see.
    while (image) {
      ImageAncestryEntries.push({
        CreationDate: image.createdAt,
        ImageId: image.id,
        ImageOwnerAlias: aliases.get(image.accountId),
        SourceImageId: image.sourceImageId,
        SourceImageRegion: image.sourceImageRegion,
      })
      image = image.sourceImageId && (await findImage(db, image.sourceImageId))
    }
    return { ImageAncestryEntries }
  },
})
