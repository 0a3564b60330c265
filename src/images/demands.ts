/** What the calls that make images of instances and change them demand. */
import type {
  CopyImageRequest,
  CreateImageRequest,
  ModifyImageAttributeRequest,
  ResetImageAttributeRequest,
} from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { attributeNamed, changesOf, granteesOf } from '../iam/ec2-resources.ts'
import {
  type Asking,
  demandsOn,
  demandsToTag,
  ec2Demands,
  making,
  namesAt,
  taggingDemands,
} from '../iam/ec2-touched.ts'
import { isId } from '../lib/ids.ts'
import { attachedTo, demandsToTake } from '../snapshots/demands.ts'
import { listTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import { findVisible } from './find.ts'
import { tagsToCopy } from './shared-tags.ts'

/** The instance, the image, the snapshots that are taken for it, and those that it gets besides. */
export async function createImageDemands(
  input: CreateImageRequest,
  asking: Asking,
): Promise<readonly Demand[]> {
  const action = 'CreateImage'
  const { InstanceId, BootModeOverride } = input
  const attached = await attachedTo(InstanceId, asking)
  const named = namesAt(input, 'BlockDeviceMappings.Ebs.SnapshotId')
  return [
    ...(await demandsOn(action, 'instance', InstanceId ? [InstanceId] : [], asking)),
    making(action, 'image', input, asking, { facts: { BootModeOverride } }),
    ...(await demandsToTake(action, input, attached, asking)),
    ...(named.length > 0 ? await demandsOn(action, 'snapshot', named, asking) : []),
    ...taggingDemands(action, input, asking),
  ]
}

/** The new image and its snapshots, and their tags, also those that come with the source. */
export async function copyImageDemands(
  input: CopyImageRequest,
  asking: Asking,
): Promise<readonly Demand[]> {
  const action = 'CopyImage'
  const copied = input.CopyImageTags ? await tagsOfSource(input, asking) : []
  return [
    ...(await ec2Demands(action, input, asking)),
    ...demandsToTag(action, 'image', copied, asking),
  ]
}

async function tagsOfSource(
  { SourceImageId: id, SourceRegion: region }: CopyImageRequest,
  { db, caller }: Asking,
): Promise<readonly Tag[]> {
  const { accountId } = caller
  if (id === undefined || region === undefined || !isId('image', id)) return []
  const image = await findVisible(db, { accountId, region, id })
  if (!image) return []
  const own = (await listTags(db, { accountId, resourceIds: [id] })).get(id) ?? []
  return await tagsToCopy(db, accountId, image, own)
}

/** Each account and group that the image is shared with, or no more, is judged by itself. */
export function modifyImageAttributeDemands(input: ModifyImageAttributeRequest, asking: Asking) {
  const { Attribute, Description, ImdsSupport, LaunchPermission, OperationType, Value } = input
  const listed = granteesOf([
    ...(input.UserIds ?? []).map((UserId) => ({ UserId })),
    ...(input.UserGroups ?? []).map((Group) => ({ Group })),
    ...(input.OrganizationArns ?? []).map((OrganizationArn) => ({ OrganizationArn })),
    ...(input.OrganizationalUnitArns ?? []).map((arn) => ({ OrganizationalUnitArn: arn })),
  ])
  const isSharing = LaunchPermission !== undefined || listed.length > 0
  const changes = changesOf({
    attributes: {
      ...(Attribute !== undefined && { [attributeNamed(Attribute)]: Value }),
      ...(Description && { Description: Description.Value }),
      ...(ImdsSupport && { ImdsSupport: ImdsSupport.Value }),
      ...(isSharing && { LaunchPermission: undefined }),
    },
    add: [...granteesOf(LaunchPermission?.Add), ...(OperationType === 'remove' ? [] : listed)],
    remove: [
      ...granteesOf(LaunchPermission?.Remove),
      ...(OperationType === 'remove' ? listed : []),
    ],
  })
  return demandsOn('ModifyImageAttribute', 'image', idsOf(input), asking, changes)
}

export function resetImageAttributeDemands(input: ResetImageAttributeRequest, asking: Asking) {
  const changes = changesOf({ attributes: { [attributeNamed(input.Attribute ?? '')]: undefined } })
  return demandsOn('ResetImageAttribute', 'image', idsOf(input), asking, changes)
}

const idsOf = ({ ImageId }: { readonly ImageId: string | undefined }) => (ImageId ? [ImageId] : [])
