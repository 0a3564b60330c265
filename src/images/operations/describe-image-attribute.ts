/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html */
import type { DescribeImageAttributeRequest, ImageAttribute } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { ownImage, visibleImage } from '../find.ts'
import { unknownImageAttribute } from '../image.ts'
import { viewLaunchPermission } from '../launch-permission.ts'
import { listLaunchPermissions } from '../permission-store.ts'
import { viewProtection } from '../protection.ts'
import { findUefiData } from '../uefi-data-store.ts'

type Call = ReadCall<DescribeImageAttributeRequest>

export const describeImageAttribute = readOperation<DescribeImageAttributeRequest, ImageAttribute>({
  action: 'DescribeImageAttribute',
  async run(call) {
    const { input, db, caller, region, now } = call
    const wanted = { accountId: caller.accountId, region, id: input.ImageId, now }
    const { Attribute: attribute } = input
    if (attribute === 'launchPermission' || attribute === 'lastLaunchedTime') {
      return await forOwner(call, attribute)
    }
    const image = await visibleImage(db, wanted)
    const { id: ImageId } = image
    switch (attribute) {
      case 'description':
        return { ImageId, Description: { Value: image.description } }
      case 'kernel':
        return { ImageId, KernelId: {} }
      case 'ramdisk':
        return { ImageId, RamdiskId: {} }
      case 'productCodes':
        return { ImageId, ProductCodes: [] }
      case 'sriovNetSupport':
        return { ImageId, SriovNetSupport: { Value: image.sriovNetSupport } }
      case 'bootMode':
        return { ImageId, BootMode: { Value: image.bootMode } }
      case 'tpmSupport':
        return { ImageId, TpmSupport: { Value: image.tpmSupport } }
      case 'uefiData':
        return { ImageId, UefiData: { Value: await findUefiData(db, ImageId) } }
      case 'imdsSupport':
        return { ImageId, ImdsSupport: { Value: image.imdsSupport } }
      case 'deregistrationProtection':
        return { ImageId, DeregistrationProtection: { Value: viewProtection(image, now) } }
      // AWS lists this one among the attributes, and refuses it to everybody.
      case 'blockDeviceMapping':
        throw new ApiError('AuthFailure', 'Unauthorized attempt to access restricted resource')
      case undefined:
      default:
        throw unknownImageAttribute()
    }
  },
})

async function forOwner(
  { input, db, caller, region }: Call,
  attribute: 'launchPermission' | 'lastLaunchedTime',
): Promise<ImageAttribute> {
  const { accountId } = caller
  const image = await ownImage(db, { accountId, region, id: input.ImageId })
  const { id: ImageId } = image
  if (attribute === 'lastLaunchedTime') {
    return { ImageId, LastLaunchedTime: { Value: image.lastLaunchedAt?.toISOString() } }
  }
  const permissions = await listLaunchPermissions(db, ImageId)
  return { ImageId, LaunchPermissions: permissions.map(viewLaunchPermission) }
}
