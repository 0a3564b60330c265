/** Volumes and attachments as EC2 answers them. */
import type {
  Volume as VolumeOutput,
  VolumeAttachment as AttachmentOutput,
} from '@aws-sdk/client-ec2'
import { findZone } from '../network/zone.ts'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Attachment, AttachmentState } from './attachment.ts'
import type { Volume } from './volume.ts'

export interface VolumeFacts {
  readonly volume: Volume
  readonly attachment: Attachment | undefined
  readonly tags: readonly Tag[]
}

export function viewVolume({ volume, attachment, tags }: VolumeFacts): VolumeOutput {
  return {
    VolumeId: volume.id,
    VolumeArn: `arn:aws:ec2:${volume.region}:${volume.accountId}:volume/${volume.id}`,
    OwnerId: volume.accountId,
    Size: volume.sizeGiB,
    SnapshotId: volume.snapshotId ?? '',
    SourceVolumeId: volume.sourceVolumeId,
    AvailabilityZone: volume.availabilityZone,
    AvailabilityZoneId: findZone(volume.region, volume.availabilityZone)?.id,
    State: volume.state,
    CreateTime: volume.createdAt,
    Attachments: attachment ? [viewAttachment(attachment)] : [],
    Encrypted: volume.kmsKeyArn !== undefined,
    KmsKeyId: volume.kmsKeyArn,
    VolumeType: volume.type,
    Iops: volume.iops,
    Throughput: volume.throughput,
    FastRestored: volume.isFastRestored === true,
    MultiAttachEnabled: false,
    VolumeInitializationRate: volume.initializationRate,
    Operator: { Managed: false },
    Tags: tags.length > 0 ? viewTags(tags) : undefined,
  }
}

/** `state` says what the call has just made of it, where that is not in the row. */
export function viewAttachment(
  attachment: Attachment,
  state: AttachmentState | 'detached' = attachment.state,
): AttachmentOutput {
  return {
    VolumeId: attachment.volumeId,
    InstanceId: attachment.instanceId,
    Device: attachment.device,
    State: state,
    AttachTime: attachment.attachedAt,
    DeleteOnTermination: attachment.deleteOnTermination,
  }
}
