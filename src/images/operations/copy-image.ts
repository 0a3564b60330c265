/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyImage.html */
import type { CopyImageRequest, CopyImageResult } from '@aws-sdk/client-ec2'
import { insertBundle } from '../../bundles/store.ts'
import { encryptedBundleCode } from '../../bundles/unknowns.ts'
import { ApiError } from '../../lib/errors.ts'
import { copySnapshots } from '../../snapshot-copies/copy.ts'
import {
  checkCompletionMinutes,
  checkCopyPlace,
  checkSourceRegion,
} from '../../snapshot-copies/snapshot-copy.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { listTags, putTags } from '../../tags/store.ts'
import { checkTags, type Tag, withTags } from '../../tags/tag.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { findCopySource } from '../copy-source.ts'
import { diskOfSnapshot } from '../block-devices.ts'
import { copyImageDemands } from '../demands.ts'
import { checkImageDescription, checkImageName, type Image } from '../image.ts'
import { tagsToCopy } from '../shared-tags.ts'
import { insertImage, requireFreeName } from '../store.ts'
import { carryUefiData } from '../uefi-data-store.ts'
import { carryWatermarks } from '../watermark-store.ts'

type Call = WriteCall<CopyImageRequest>

export const copyImage = writeOperation<CopyImageRequest, CopyImageResult>({
  action: 'CopyImage',
  demands: copyImageDemands,
  async run(call) {
    const { input, tx, caller, region, regions, now, newId } = call
    const { Name: name = '', Description: description, SourceRegion = '' } = input
    const { SnapshotCopyCompletionDurationMinutes: completionMinutes } = input
    const { accountId } = caller
    checkImageName(name)
    checkImageDescription(description)
    checkCopyPlace(input)
    checkCompletionMinutes('snapshotCopyCompletionDurationMinutes', completionMinutes)
    const tags = tagsOnCreate(input.TagSpecifications, ['image', 'snapshot'])
    checkSourceRegion(SourceRegion, regions)
    const {
      image: source,
      snapshots,
      bundle,
    } = await findCopySource(tx, {
      accountId,
      region: SourceRegion,
      id: input.SourceImageId,
      now,
    })
    if (bundle) checkPlainBundle(input)
    await requireFreeName(tx, { accountId, region, name })

    const id = newId('image')
    const copies = await copySnapshots(call, {
      sources: snapshots,
      describe: (snapshot) =>
        `Copied for DestinationAmi ${id} from SourceAmi ${source.id} for SourceSnapshot ` +
        `${snapshot.id}. Task created on ${now.getTime().toLocaleString('en-US')}.`,
      tags: tags.get('snapshot') ?? [],
      completionMinutes,
      encrypted: input.Encrypted,
      keyId: input.KmsKeyId,
    })
    const copyOf = new Map(snapshots.map((one, position) => [one.id, copies[position]]))
    await insertImage(tx, {
      // What the disks need to boot and what they are goes along; what the owner said of it does not.
      ...source,
      id,
      accountId,
      region,
      name,
      description,
      location: `${accountId}/${name}`,
      state: 'pending',
      stateReason: undefined,
      createdAt: now,
      deregisteredAt: undefined,
      isPublic: false,
      sourceInstanceId: undefined,
      sourceImageId: source.id,
      sourceImageRegion: source.region,
      lastLaunchedAt: undefined,
      blockDevices: source.blockDevices.map((device) => {
        const { ebs } = device
        const copy = ebs?.snapshotId && copyOf.get(ebs.snapshotId)
        return ebs && copy ? { ...device, ebs: { ...ebs, ...diskOfSnapshot(copy) } } : device
      }),
    })
    // The disk is the same one, whatever becomes of the bucket that it came from.
    if (bundle) await insertBundle(tx, { ...bundle, imageId: id, source: undefined })
    await carryWatermarks(tx, { from: source.id, to: id })
    await carryUefiData(tx, { from: source.id, to: id })
    await putTags(tx, {
      accountId,
      region,
      resourceType: 'image',
      resourceId: id,
      tags: await imageTags(call, source, tags.get('image') ?? []),
    })
    return { ImageId: id }
  },
})

/** What has no snapshots has nothing that could be encrypted, and a default of the account does not change that. */
function checkPlainBundle({ Encrypted, KmsKeyId }: CopyImageRequest): void {
  if (!Encrypted && KmsKeyId === undefined) return
  throw new ApiError(
    encryptedBundleCode,
    'Encryption is not supported for copies of instance-store AMIs.',
  )
}

/** The tags that the call gives and, where it wants them, those of the source that the caller has or is shown. */
async function imageTags(
  { input, tx, caller }: Call,
  source: Image,
  given: readonly Tag[],
): Promise<readonly Tag[]> {
  if (!input.CopyImageTags) return given
  const { accountId } = caller
  const own = (await listTags(tx, { accountId, resourceIds: [source.id] })).get(source.id) ?? []
  return checkTags(withTags(await tagsToCopy(tx, accountId, source, own), given))
}
