/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html */
import type { CreateImageRequest, CreateImageResult } from '@aws-sdk/client-ec2'
import { createImageCode } from '../../bundles/unknowns.ts'
import type { Tx } from '../../db/database.ts'
import { type Instance, instanceNotFound, parseInstanceId } from '../../instances/instance.ts'
import { findOwnInstance } from '../../instances/store.ts'
import { ApiError, invalidParameterValue } from '../../lib/errors.ts'
import { checkSnapshotPlace } from '../../snapshots/snapshot.ts'
import { areFrozen } from '../../snapshots/frozen.ts'
import { takeSnapshots } from '../../snapshots/take.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { listAttachments, listVolumes } from '../../volumes/store.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import {
  byDevice,
  checkUnchanged,
  deviceOfVolume,
  isOmitted,
  readNewDevice,
} from '../block-devices.ts'
import { createImageDemands } from '../demands.ts'
import {
  type BlockDevice,
  checkImageDescription,
  checkImageName,
  type Image,
  type NewImage,
  parseImageId,
  snapshotsOf,
} from '../image.ts'
import { countPendingOf } from '../life-store.ts'
import { findImage, insertImage, requireFreeName } from '../store.ts'
import { imageUefiData } from '../uefi-data.ts'
import { carryUefiData, insertUefiData } from '../uefi-data-store.ts'
import { noRebootImagesAtOnceMax } from '../unknowns.ts'
import { carryWatermarks } from '../watermark-store.ts'

type Call = WriteCall<CreateImageRequest>

export const createImage = writeOperation<CreateImageRequest, CreateImageResult>({
  action: 'CreateImage',
  demands: createImageDemands,
  // The image is of the moment of the call, unless the machine has to be shut down first.
  async answerAfter(db, { ImageId = '' }) {
    const image = await findImage(db, parseImageId(ImageId))
    return !image || (await areFrozen(db, snapshotsOf(image)))
  },

  async run(call) {
    const { input, tx, caller, region, now, newId } = call
    const { Name: name = '', Description: description } = input
    const { accountId } = caller
    checkImageName(name)
    checkImageDescription(description)
    checkSnapshotPlace({ Location: input.SnapshotLocation })
    const tags = tagsOnCreate(input.TagSpecifications, ['image', 'snapshot'])
    const instance = await findInstance(call)
    await requireFreeName(tx, { accountId, region, name })
    if (input.NoReboot) await checkCount(tx, instance)

    const imageId = newId('image')
    const blockDevices = await imageDisks(call, instance, imageId, tags.get('snapshot') ?? [])
    const source = await findImage(tx, instance.imageId)
    const image: NewImage = {
      id: imageId,
      accountId,
      region,
      name,
      description,
      location: `${accountId}/${name}`,
      state: 'pending',
      stateReason: undefined,
      createdAt: now,
      deregisteredAt: undefined,
      architecture: instance.architecture,
      bootMode: bootModeOf(input, instance),
      rootDeviceName: instance.rootDeviceName,
      rootDeviceType: 'ebs',
      virtualizationType: source?.virtualizationType ?? 'hvm',
      platform: instance.platform,
      platformDetails: instance.platformDetails,
      usageOperation: instance.usageOperation,
      enaSupport: instance.enaSupport,
      sriovNetSupport: source?.sriovNetSupport,
      imdsSupport: source?.imdsSupport,
      tpmSupport: instance.tpmSupport,
      isPublic: false,
      sourceInstanceId: instance.id,
      sourceImageId: instance.imageId,
      sourceImageRegion: region,
      lastLaunchedAt: undefined,
      blockDevices,
    }
    await insertImage(tx, image)
    await carryWatermarks(tx, { from: source?.id, to: imageId })
    await keepUefiData(call, instance, imageId)
    await putTags(tx, {
      accountId,
      region,
      resourceType: 'image',
      resourceId: imageId,
      tags: tags.get('image') ?? [],
    })
    return { ImageId: imageId }
  },
})

async function findInstance({ input, tx, caller, region }: Call): Promise<Instance> {
  const id = parseInstanceId(input.InstanceId ?? '')
  const instance = await findOwnInstance(tx, { accountId: caller.accountId, region, id })
  if (!instance) throw instanceNotFound([id])
  if (instance.rootDeviceType !== 'ebs') {
    throw new ApiError(
      createImageCode,
      `The instance '${id}' does not have an 'ebs' root device type, so no image can be created of it.`,
    )
  }
  // Packer waits and tries again on exactly these words.
  if (instance.state !== 'running' && instance.state !== 'stopped') {
    throw new ApiError('InvalidParameterValue', "Instance is not in state 'running' or 'stopped'.")
  }
  return instance
}

/** An instance that is not shut down for it has to carry all that is taken of it meanwhile. */
async function checkCount(tx: Tx, { id }: Instance): Promise<void> {
  if ((await countPendingOf(tx, id)) < noRebootImagesAtOnceMax) return
  throw new ApiError(
    'ConcurrentCreateImageNoRebootLimitExceeded',
    `Of the instance '${id}' ${noRebootImagesAtOnceMax} images are being made. Wait for them, and try again.`,
  )
}

function bootModeOf({ BootModeOverride }: CreateImageRequest, instance: Instance) {
  if (BootModeOverride === undefined) return instance.bootMode
  if (BootModeOverride === 'uefi' && instance.currentBootMode === 'uefi') return 'uefi'
  throw invalidParameterValue(
    'bootModeOverride',
    BootModeOverride,
    'It can only be uefi, for an instance that has booted by UEFI.',
  )
}

/** The image has the variables that the instance has now; where that cannot be, its image's. */
async function keepUefiData(
  { tx, readers }: Call,
  { id, imageId: from, currentBootMode }: Instance,
  to: Image['id'],
): Promise<void> {
  const variables = currentBootMode === 'uefi' ? await readers.uefiVariables(id) : undefined
  const data =
    variables && variables !== 'unreadable'
      ? imageUefiData(variables, readers.uefiDictionary)
      : undefined
  if (data === undefined) await carryUefiData(tx, { from, to })
  else await insertUefiData(tx, to, data)
}

/** Takes a snapshot of each volume that the image shall have, all at one instant, and adds new disks. */
async function imageDisks(
  call: Call,
  instance: Instance,
  imageId: Image['id'],
  snapshotTags: Parameters<typeof takeSnapshots>[1]['volumes'][number]['tags'],
): Promise<readonly BlockDevice[]> {
  const { input, tx, caller, region } = call
  const owner = { accountId: caller.accountId, region }
  const mappings = byDevice(input.BlockDeviceMappings)
  const attached = await listAttachments(tx, { instanceIds: [instance.id], states: ['attached'] })
  const root = attached.find(({ device }) => device === instance.rootDeviceName)
  if (!root) {
    throw new ApiError(
      'InvalidParameterValue',
      `Instance does not have a volume attached at root (${instance.rootDeviceName})`,
    )
  }
  const ids = attached.map(({ volumeId }) => volumeId)
  const volumes = new Map(
    (await listVolumes(tx, { ...owner, ids })).map((volume) => [volume.id, volume]),
  )
  const kept = [root, ...attached.filter((attachment) => attachment !== root)].flatMap(
    (attachment) => {
      const mapping = mappings.get(attachment.device)
      const volume = volumes.get(attachment.volumeId)
      if (!volume) return []
      if (!mapping) return [{ attachment, volume }]
      if (!isOmitted(mapping)) {
        checkUnchanged(mapping, volume)
        const { deleteOnTermination } = attachment
        const isDeleted = mapping.Ebs?.DeleteOnTermination ?? deleteOnTermination
        return [{ attachment: { ...attachment, deleteOnTermination: isDeleted }, volume }]
      }
      if (attachment !== root) return []
      throw new ApiError(
        'InvalidBlockDeviceMapping',
        `The root device ${attachment.device} cannot be left out`,
      )
    },
  )
  const added = []
  for (const [device, mapping] of mappings) {
    if (isOmitted(mapping) || attached.some((attachment) => attachment.device === device)) continue
    added.push(await readNewDevice(tx, owner, mapping))
  }
  const { snapshots } = await takeSnapshots(call, {
    instanceId: instance.id,
    withReboot: instance.state === 'running' && input.NoReboot !== true,
    volumes: kept.map(({ volume }) => ({
      volume,
      description: `Created by CreateImage(${instance.id}) for ${imageId}`,
      tags: snapshotTags,
    })),
  })
  const ofVolumes = kept.flatMap(({ attachment, volume }, position) => {
    const snapshot = snapshots[position]
    const { device, deleteOnTermination } = attachment
    return snapshot ? [deviceOfVolume({ ...volume, device, deleteOnTermination, snapshot })] : []
  })
  return [...ofVolumes, ...added]
}
