/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html */
import type { CreateSnapshotRequest, Snapshot } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { findAttachment, findVolume } from '../../volumes/store.ts'
import { parseVolumeId, volumeNotFound } from '../../volumes/volume.ts'
import { writeOperation } from '../../wire/operation.ts'
import { createSnapshotDemands } from '../demands.ts'
import { areFrozen } from '../frozen.ts'
import { checkSnapshotQuotas } from '../quota.ts'
import { checkSnapshotDescription, checkSnapshotPlace, parseSnapshotId } from '../snapshot.ts'
import { takeSnapshots } from '../take.ts'
import { viewTaken } from '../view.ts'

export const createSnapshot = writeOperation<CreateSnapshotRequest, Snapshot>({
  action: 'CreateSnapshot',
  demands: createSnapshotDemands,
  // The point in time is that of the call.
  answerAfter: (db, { SnapshotId = '' }) => areFrozen(db, [parseSnapshotId(SnapshotId)]),

  async run(call) {
    const { input, tx, caller, region } = call
    checkSnapshotPlace(input)
    checkSnapshotDescription(input.Description)
    const tags = tagsOnCreate(input.TagSpecifications, ['snapshot']).get('snapshot') ?? []
    const id = parseVolumeId(input.VolumeId ?? '')
    const volume = await findVolume(tx, { accountId: caller.accountId, region, id })
    if (!volume) throw volumeNotFound(id)
    if (volume.state !== 'available' && volume.state !== 'in-use') {
      throw new ApiError(
        'IncorrectState',
        `The volume '${id}' is not 'available' or 'in-use', it is '${volume.state}'.`,
      )
    }
    await checkSnapshotQuotas(tx, call, [volume])
    const attachment = await findAttachment(tx, id)
    const { snapshots } = await takeSnapshots(call, {
      instanceId: attachment?.instanceId,
      withReboot: false,
      volumes: [{ volume, description: input.Description ?? '', tags }],
    })
    const [view] = snapshots.map((snapshot) => viewTaken(snapshot, tags))
    return { ...view, KmsKeyId: volume.kmsKeyArn }
  },
})
