/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyImageAttribute.html */
import type { ModifyImageAttributeRequest } from '@aws-sdk/client-ec2'
import type { Tx } from '../../db/database.ts'
import { ApiError, invalidParameterValue, missingParameter } from '../../lib/errors.ts'
import { checkShareable } from '../../snapshots/shareable.ts'
import { findSnapshots } from '../../snapshots/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import { modifyImageAttributeDemands } from '../demands.ts'
import { publicDeprecation } from '../deprecation.ts'
import { ownImage } from '../find.ts'
import { readImageSettings } from '../held-settings.ts'
import { publicSharingBlocked } from '../image-settings.ts'
import {
  checkImageDescription,
  type Image,
  imageUnavailable,
  snapshotsOf,
  unknownImageAttribute,
} from '../image.ts'
import { type LaunchPermission, readLaunchPermissions } from '../launch-permission.ts'
import {
  addLaunchPermissions,
  isEveryone,
  listLaunchPermissions,
  removeLaunchPermissions,
} from '../permission-store.ts'
import { publicImagesMax, quotaExceeded, shareTargetsMax } from '../quota.ts'
import { countImages, requireImdsV2, setImageDescription } from '../store.ts'

export const modifyImageAttribute = writeOperation<
  ModifyImageAttributeRequest,
  { Return: boolean }
>({
  action: 'ModifyImageAttribute',
  demands: modifyImageAttributeDemands,
  async run({ input, tx, caller, region }) {
    const { accountId } = caller
    const change = readChange(input)
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const { id } = image
    if (image.state !== 'available') throw imageUnavailable(id)
    switch (change.attribute) {
      case 'description':
        await setImageDescription(tx, { id, description: change.value })
        break
      case 'imdsSupport':
        await requireImdsV2(tx, id)
        break
      case 'launchPermission':
        await checkShareable(tx, await findSnapshots(tx, snapshotsOf(image)), {
          isPublic: change.add.some(isEveryone),
          count: change.add.length,
        })
        await checkPublicAccess(tx, image, change.add)
        await addLaunchPermissions(tx, id, change.add, publicDeprecation(image))
        await removeLaunchPermissions(tx, id, change.remove)
        await checkQuotas(tx, image)
        break
    }
    return { Return: true }
  },
})

/** An image that is public already stays so, whatever its account says now. */
async function checkPublicAccess(
  tx: Tx,
  image: Image,
  added: readonly LaunchPermission[],
): Promise<void> {
  if (image.isPublic || !added.some(isEveryone)) return
  const { publicAccess, managers, message } = await readImageSettings(tx, image)
  if (publicAccess !== 'block-new-sharing') return
  throw publicSharingBlocked(managers.publicAccess === 'account' ? undefined : message)
}

/** Looks at what has come of the call, which is undone where that is too much. */
async function checkQuotas(tx: Tx, image: Image): Promise<void> {
  const permissions = await listLaunchPermissions(tx, image.id)
  if (permissions.length > shareTargetsMax) {
    throw quotaExceeded('accounts and organizations that an AMI is shared with', shareTargetsMax)
  }
  if (image.isPublic || !permissions.some(isEveryone)) return
  const { accountId, region } = image
  if ((await countImages(tx, { accountId, region, isPublic: true })) > publicImagesMax) {
    throw quotaExceeded('public AMIs in this Region', publicImagesMax)
  }
}

type Change =
  | { readonly attribute: 'description'; readonly value: string }
  | { readonly attribute: 'imdsSupport' }
  | {
      readonly attribute: 'launchPermission'
      readonly add: readonly LaunchPermission[]
      readonly remove: readonly LaunchPermission[]
    }

/** There are two ways to say it: a member for each attribute, or (older) its name and a value. */
function readChange(input: ModifyImageAttributeRequest): Change {
  const { Attribute, Description, ImdsSupport, LaunchPermission, OperationType, Value } = input
  if (input.ProductCodes?.length) {
    throw new ApiError('UnsupportedOperation', 'Product codes are not supported by Imago.')
  }
  const listed = readLaunchPermissions([
    ...(input.UserIds ?? []).map((UserId) => ({ UserId })),
    ...(input.UserGroups ?? []).map((Group) => ({ Group: Group as 'all' })),
    ...(input.OrganizationArns ?? []).map((OrganizationArn) => ({ OrganizationArn })),
    ...(input.OrganizationalUnitArns ?? []).map((arn) => ({ OrganizationalUnitArn: arn })),
  ])
  const attributes = new Set([
    ...(Attribute === undefined ? [] : [Attribute]),
    ...(Description ? ['description'] : []),
    ...(ImdsSupport ? ['imdsSupport'] : []),
    ...(LaunchPermission || listed.length > 0 ? ['launchPermission'] : []),
  ])
  const [attribute] = attributes
  if (attribute === undefined) {
    throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
  }
  if (attributes.size > 1) {
    throw new ApiError(
      'InvalidParameterCombination',
      `Fields for multiple attribute types specified: ${[...attributes].join(', ')}`,
    )
  }
  switch (attribute) {
    case 'description': {
      const value = Description?.Value ?? Value ?? ''
      checkImageDescription(value)
      return { attribute, value }
    }
    case 'imdsSupport': {
      const value = ImdsSupport?.Value ?? Value ?? ''
      if (value === 'v2.0') return { attribute }
      throw invalidParameterValue('imdsSupport', value, 'It can only be v2.0.')
    }
    case 'launchPermission': {
      if (listed.length > 0 && OperationType !== 'add' && OperationType !== 'remove') {
        if (OperationType === undefined) throw missingParameter('operationType')
        throw invalidParameterValue('operationType', OperationType, 'It must be add or remove.')
      }
      const add = readLaunchPermissions(LaunchPermission?.Add)
      const remove = readLaunchPermissions(LaunchPermission?.Remove)
      if (OperationType === 'add') add.push(...listed)
      if (OperationType === 'remove') remove.push(...listed)
      if (add.length + remove.length > 0) return { attribute, add, remove }
      throw new ApiError('InvalidParameterCombination', 'No attributes specified.')
    }
    default:
      throw unknownImageAttribute()
  }
}
