/** https://docs.aws.amazon.com/ebs/latest/APIReference/API_StartSnapshot.html */
import type { StartSnapshotRequest, StartSnapshotResponse } from '@aws-sdk/client-ebs'
import { ApiError } from '../../lib/errors.ts'
import { noVolumeId, type PendingSnapshot } from '../../snapshots/snapshot.ts'
import { insertSnapshot, listPendingSnapshots } from '../../snapshots/store.ts'
import { putTags } from '../../tags/store.ts'
import { writeOperation } from '../../wire/operation.ts'
import {
  directBlockSizeBytes,
  invalid,
  openMax,
  readTimeout,
  readVolumeSize,
} from '../direct-snapshot.ts'
import { readEncryption } from '../encryption.ts'
import { onNewSnapshot, readableSnapshot } from '../find.ts'
import { readDescription, readDirectTags } from '../request.ts'
import { insertDirectSnapshot } from '../store.ts'

export const startSnapshot = writeOperation<StartSnapshotRequest, StartSnapshotResponse>({
  service: 'ebs',
  action: 'StartSnapshot',
  demands: onNewSnapshot,

  async run(call) {
    const { input, tx, caller, region, now, newId } = call
    const { accountId } = caller
    if (input.Encrypted !== undefined && input.ParentSnapshotId !== undefined) {
      const message = 'Encrypted and ParentSnapshotId cannot be specified together.'
      throw invalid('INVALID_PARAMETER_VALUE', message)
    }
    const volumeSizeGiB = readVolumeSize(input.VolumeSize)
    const timeoutMinutes = readTimeout(input.Timeout)
    const description = readDescription(input.Description)
    const tags = readDirectTags(input.Tags)
    const parent =
      input.ParentSnapshotId === undefined
        ? undefined
        : await readableSnapshot(tx, call, input.ParentSnapshotId)
    if (parent && parent.volumeSizeGiB > volumeSizeGiB) {
      throw invalid(
        'INVALID_VOLUME_SIZE',
        `The volume size must not be less than the ${parent.volumeSizeGiB} GiB of its parent.`,
      )
    }
    const encryption = await readEncryption(call, parent)
    const pending = (await listPendingSnapshots(tx)).filter(
      (other) => other.accountId === accountId && other.region === region,
    )
    if (pending.length >= openMax) {
      throw new ApiError(
        'ServiceQuotaExceededException',
        `An account can have at most ${openMax} pending snapshots in a Region.`,
        { reason: 'DEPENDENCY_SERVICE_QUOTA_EXCEEDED' },
      )
    }
    const snapshot: PendingSnapshot = {
      id: newId('snapshot'),
      accountId,
      region,
      volumeId: noVolumeId,
      volumeSizeGiB,
      description,
      startedAt: now,
      progressPercent: 0,
      freezeId: undefined,
      layer: undefined,
      ...(encryption && { kmsKeyArn: encryption.arn }),
      state: 'pending',
    }
    await insertSnapshot(tx, snapshot)
    await insertDirectSnapshot(tx, {
      id: snapshot.id,
      state: 'open',
      parentSnapshotId: parent?.id,
      parentManifest: parent?.manifest,
      timeoutMinutes,
      touchedAt: now,
      changedBlocksCount: undefined,
    })
    const resource = { resourceType: 'snapshot', resourceId: snapshot.id } as const
    await putTags(tx, { accountId, region, ...resource, tags })
    return {
      Description: input.Description,
      SnapshotId: snapshot.id,
      OwnerId: accountId,
      Status: snapshot.state,
      StartTime: now,
      VolumeSize: volumeSizeGiB,
      BlockSize: directBlockSizeBytes,
      Tags: tags.map(({ key: Key, value: Value }) => ({ Key, Value })),
      ParentSnapshotId: parent?.id,
      KmsKeyArn: encryption?.arn,
      SseType: encryption ? 'sse-kms' : 'none',
    }
  },
})
