/** A snapshot as EC2 answers it. */
import type { Snapshot as SnapshotOutput, SnapshotInfo } from '@aws-sdk/client-ec2'
import { type SnapshotCopy, transferTypeOf } from '../snapshot-copies/snapshot-copy.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Snapshot } from './snapshot.ts'

interface Beside {
  readonly tags: readonly Tag[] | undefined
  /** What goes for the owner's number, where it is the provider. */
  readonly ownerAlias?: string | undefined
  /** What it was copied from, where it is a copy. */
  readonly copy?: SnapshotCopy | undefined
}

export function viewSnapshot(
  snapshot: Snapshot,
  { tags, ownerAlias, copy }: Beside,
): SnapshotOutput {
  return {
    ...viewTaken(snapshot, tags),
    KmsKeyId: snapshot.kmsKeyArn,
    OwnerAlias: ownerAlias,
    Progress: `${snapshot.progressPercent}%`,
    StorageTier: snapshot.isArchived ? 'archive' : 'standard',
    RestoreExpiryTime: snapshot.restoreExpiresAt,
    ...(copy && {
      TransferType: transferTypeOf(copy),
      CompletionDurationMinutes: copy.completionMinutes,
    }),
    ...(snapshot.state === 'error' && { StateMessage: snapshot.stateMessage }),
    ...(snapshot.state === 'completed' && {
      CompletionTime: snapshot.completedAt,
      FullSnapshotSizeInBytes: snapshot.fullSizeBytes,
    }),
  }
}

/** A snapshot as the call that took it answers: there is no progress yet. */
export function viewTaken(snapshot: Snapshot, tags: readonly Tag[] | undefined): SnapshotInfo {
  return {
    SnapshotId: snapshot.id,
    VolumeId: snapshot.volumeId,
    OwnerId: snapshot.accountId,
    State: snapshot.state,
    StartTime: snapshot.startedAt,
    Progress: '',
    VolumeSize: snapshot.volumeSizeGiB,
    Description: snapshot.description,
    Encrypted: snapshot.kmsKeyArn !== undefined,
    Tags: viewTags(tags),
  }
}
