/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html */
import type {
  CreateSnapshotsRequest,
  CreateSnapshotsResult,
  InstanceSpecification,
} from '@aws-sdk/client-ec2'
import { instanceNotFound, parseInstanceId } from '../../instances/instance.ts'
import { findOwnInstance } from '../../instances/store.ts'
import { ApiError, invalidParameterValue, missingParameter } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { listTags } from '../../tags/store.ts'
import { checkTags } from '../../tags/tag.ts'
import type { Attachment } from '../../volumes/attachment.ts'
import { listAttachments, listVolumes } from '../../volumes/store.ts'
import { parseVolumeId } from '../../volumes/volume.ts'
import { writeOperation } from '../../wire/operation.ts'
import { createSnapshotsDemands } from '../demands.ts'
import { areFrozen } from '../frozen.ts'
import { checkSnapshotQuotas } from '../quota.ts'
import { checkSnapshotDescription, checkSnapshotPlace, parseSnapshotId } from '../snapshot.ts'
import { takeSnapshots } from '../take.ts'
import { viewTaken } from '../view.ts'

export const createSnapshots = writeOperation<CreateSnapshotsRequest, CreateSnapshotsResult>({
  action: 'CreateSnapshots',
  demands: createSnapshotsDemands,
  answerAfter: (db, { Snapshots = [] }) =>
    areFrozen(
      db,
      Snapshots.map(({ SnapshotId = '' }) => parseSnapshotId(SnapshotId)),
    ),

  async run(call) {
    const { input, tx, caller, region } = call
    checkSnapshotPlace(input)
    checkSnapshotDescription(input.Description)
    const asked = tagsOnCreate(input.TagSpecifications, ['snapshot']).get('snapshot') ?? []
    const { InstanceSpecification: wanted = { InstanceId: undefined } } = input
    if (!wanted.InstanceId) throw missingParameter('InstanceSpecification.InstanceId')
    const id = parseInstanceId(wanted.InstanceId)
    const owner = { accountId: caller.accountId, region }
    const instance = await findOwnInstance(tx, { ...owner, id })
    if (!instance) throw instanceNotFound([id])
    if (instance.state === 'terminated' || instance.state === 'shutting-down') {
      throw new ApiError('IncorrectState', `The instance '${id}' is '${instance.state}'.`)
    }
    const attached = await listAttachments(tx, { instanceIds: [id], states: ['attached'] })
    const chosen = choose(attached, wanted, instance.rootDeviceName)
    const ids = chosen.map(({ volumeId }) => volumeId)
    const volumes = await listVolumes(tx, { ...owner, ids })
    await checkSnapshotQuotas(tx, call, volumes)
    const { CopyTagsFromSource: tagSource } = input
    if (tagSource !== undefined && tagSource !== 'volume') {
      throw invalidParameterValue('CopyTagsFromSource', tagSource, 'It must be volume.')
    }
    const copied =
      tagSource === 'volume' ? await listTags(tx, { ...owner, resourceIds: ids }) : undefined
    // What the call says of a key wins over what the volume has.
    const tagsOf = (volumeId: string) =>
      checkTags([
        ...new Map(
          [...(copied?.get(volumeId) ?? []), ...asked].map((tag) => [tag.key, tag]),
        ).values(),
      ])

    const { snapshots } = await takeSnapshots(call, {
      instanceId: id,
      withReboot: false,
      volumes: volumes.map((volume) => ({
        volume,
        description: input.Description ?? '',
        tags: tagsOf(volume.id),
      })),
    })
    return { Snapshots: snapshots.map((one) => viewTaken(one, tagsOf(one.volumeId))) }
  },
})

/** Leaves out what the caller does not want. */
function choose(
  attached: readonly Attachment[],
  { ExcludeBootVolume = false, ExcludeDataVolumeIds = [] }: Partial<InstanceSpecification>,
  rootDeviceName: string,
): readonly Attachment[] {
  for (const text of ExcludeDataVolumeIds) {
    const id = parseVolumeId(text)
    const found = attached.find(({ volumeId }) => volumeId === id)
    if (found && found.device !== rootDeviceName) continue
    throw invalidParameterValue(
      'ExcludeDataVolumeIds',
      id,
      found
        ? 'It is the root volume of the instance.'
        : 'It is not attached to the instance as a data volume.',
    )
  }
  const chosen = attached.filter(
    ({ volumeId, device }) =>
      !(ExcludeBootVolume && device === rootDeviceName) && !ExcludeDataVolumeIds.includes(volumeId),
  )
  if (chosen.length > 0) return chosen
  throw new ApiError('InvalidParameterValue', 'No volumes are left to take a snapshot of.')
}
