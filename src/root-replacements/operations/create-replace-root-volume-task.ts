/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html */
import type {
  CreateReplaceRootVolumeTaskRequest,
  CreateReplaceRootVolumeTaskResult,
} from '@aws-sdk/client-ec2'
import { type Instance, instanceNotFound, parseInstanceId } from '../../instances/instance.ts'
import { checkRootIsReplaceable } from '../../instances/instance-store.ts'
import { findOwnInstance } from '../../instances/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { putTags } from '../../tags/store.ts'
import { createVolume } from '../../volumes/create.ts'
import { requireEncryption } from '../../volumes/encryption.ts'
import { findOneVolume } from '../../volumes/lookup.ts'
import { changeVolumeState, findVolumeById, listAttachments } from '../../volumes/store.ts'
import type { Volume } from '../../volumes/volume.ts'
import { checkBootType, volumeTypes } from '../../volumes/volume-type.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import type { Replacement } from '../replacement.ts'
import { findRootSource } from '../source.ts'
import { insertReplacement, listReplacementsUnderWay } from '../store.ts'
import { plainForEncryptedCode, underWayCode } from '../unknowns.ts'
import { viewReplacement } from '../view.ts'

type Call = WriteCall<CreateReplaceRootVolumeTaskRequest>

export const createReplaceRootVolumeTask = writeOperation<
  CreateReplaceRootVolumeTaskRequest,
  CreateReplaceRootVolumeTaskResult
>({
  action: 'CreateReplaceRootVolumeTask',
  async run(call) {
    const { input, tx, now, newId, caller, region } = call
    const { accountId } = caller
    const resourceType = 'replace-root-volume-task'
    const tags = tagsOnCreate(input.TagSpecifications, [resourceType]).get(resourceType) ?? []
    const named = [input.SnapshotId, input.ImageId, input.VolumeId].filter((id) => id !== undefined)
    if (named.length > 1) {
      throw new ApiError(
        'InvalidParameterCombination',
        'Only one of SnapshotId, ImageId and VolumeId can be specified.',
      )
    }
    const instance = await findRunning(call)
    const root = await findRoot(call, instance)
    const { volume, ...source } = await findNewRoot(call, instance, root)
    const task: Replacement = {
      id: newId(resourceType),
      accountId,
      region,
      instanceId: instance.id,
      state: 'pending',
      message: undefined,
      imageId: source.imageId,
      snapshotId: input.SnapshotId === undefined ? undefined : volume.snapshotId,
      oldVolumeId: root.id,
      newVolumeId: volume.id,
      isVolumeGiven: input.VolumeId !== undefined,
      deletesReplaced: input.DeleteReplacedRootVolume ?? false,
      isSwapped: false,
      startedAt: now,
      begunAt: undefined,
      endedAt: undefined,
    }
    await insertReplacement(tx, task)
    await putTags(tx, { accountId, region, resourceType, resourceId: task.id, tags })
    return { ReplaceRootVolumeTask: viewReplacement(task, tags) }
  },
})

async function findRunning({ input, tx, caller, region }: Call): Promise<Instance> {
  const id = parseInstanceId(input.InstanceId ?? '')
  const instance = await findOwnInstance(tx, { accountId: caller.accountId, region, id })
  if (!instance) throw instanceNotFound([id])
  checkRootIsReplaceable(instance)
  if (instance.state !== 'running') {
    throw new ApiError(
      'IncorrectInstanceState',
      `The instance '${id}' is not in the 'running' state.`,
    )
  }
  const [other] = await listReplacementsUnderWay(tx, { instanceId: id })
  if (!other) return instance
  throw new ApiError(
    underWayCode,
    `The root volume of instance '${id}' is being replaced by task '${other.id}'.`,
  )
}

async function findRoot({ tx }: Call, instance: Instance): Promise<Volume> {
  const attachments = await listAttachments(tx, { instanceIds: [instance.id] })
  const root = attachments.find(({ device }) => device === instance.rootDeviceName)
  const volume = root && (await findVolumeById(tx, root.volumeId))
  if (volume) return volume
  throw new ApiError('IncorrectState', `The instance '${instance.id}' has no root volume.`)
}

/** A volume that is to be made, like the root in all but its content; or the one that is given. */
async function findNewRoot(call: Call, instance: Instance, root: Volume) {
  const { input } = call
  if (input.VolumeId !== undefined) return { volume: await takeVolume(call, instance, root) }
  const { source, imageId } = await findRootSource(call, instance, root)
  const { type, iops, throughput, availabilityZone } = root
  // What was encrypted never becomes plain, and keeps its key.
  const key = root.kmsKeyArn
  const encryption = await requireEncryption(call, {
    ...(key !== undefined && { encrypted: true, keyId: key }),
    source,
  })
  const volume = await createVolume(call, {
    type,
    iops: 'iops' in volumeTypes[type] ? iops : undefined,
    throughput,
    availabilityZone,
    sizeGiB: Math.max(root.sizeGiB, source.volumeSizeGiB),
    initializationRate: input.VolumeInitializationRate,
    snapshot: source,
    encryption,
  })
  return { volume, imageId }
}

/** From now on it is nobody else's. */
async function takeVolume(call: Call, instance: Instance, root: Volume): Promise<Volume> {
  const volume = await findOneVolume(call.tx, call, call.input.VolumeId)
  const { id } = volume
  if (volume.availabilityZone !== instance.availabilityZone) {
    throw new ApiError(
      'InvalidVolume.ZoneMismatch',
      `The volume '${id}' is not in the same availability zone as instance '${instance.id}'`,
    )
  }
  checkBootType(volume.type)
  if (root.kmsKeyArn !== undefined && volume.kmsKeyArn === undefined) {
    throw new ApiError(
      plainForEncryptedCode,
      `The root volume '${root.id}' is encrypted, and cannot be replaced by '${id}', which is not.`,
    )
  }
  const isFree = await changeVolumeState(call.tx, { id, from: 'available', to: 'in-use' })
  if (isFree) return volume
  throw new ApiError('IncorrectState', `${id} is not 'available'.`)
}
