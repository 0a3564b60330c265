/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageReferences.html */
import type {
  DescribeImageReferencesRequest,
  DescribeImageReferencesResult,
} from '@aws-sdk/client-ec2'
import { parseImageId } from '../../images/image.ts'
import { ApiError } from '../../lib/errors.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { keyOf, listReferences } from '../list-references.ts'
import { readScopes, referringTypes, type Scope } from '../reference.ts'

const imagesMax = 10

export const describeImageReferences = readOperation<
  DescribeImageReferencesRequest,
  DescribeImageReferencesResult
>({
  action: 'DescribeImageReferences',
  async run({ input, db, caller, region }) {
    // Images that are gone, or not the caller's, may still be in use: each id is as good as another.
    const imageIds = [...new Set((input.ImageIds ?? []).map(parseImageId))]
    if (imageIds.length > imagesMax) {
      throw new ApiError('InvalidParameterValue', `A call can name at most ${imagesMax} images.`)
    }
    const { accountId } = caller
    const scopes = scopesOf(input)
    const references = await listReferences(db, { accountId, region, imageIds, scopes })
    const { items, NextToken } = page(references, input, keyOf)
    return {
      ImageReferences: items.map(({ imageId, type, arn }) => ({
        ImageId: imageId,
        ResourceType: type,
        Arn: arn,
      })),
      ...(NextToken && { NextToken }),
    }
  },
})

/** All types with what goes for them, but for those that the call says more of. */
function scopesOf(input: DescribeImageReferencesRequest): readonly Scope[] {
  const { IncludeAllResourceTypes, ResourceTypes = [] } = input
  const given = readScopes(ResourceTypes, { types: referringTypes, takesStates: true })
  if (IncludeAllResourceTypes) {
    return referringTypes.map((type) => given.find((scope) => scope.type === type) ?? { type })
  }
  if (given.length > 0) return given
  throw new ApiError(
    'MissingParameter',
    'Either IncludeAllResourceTypes or ResourceTypes must be specified.',
  )
}
