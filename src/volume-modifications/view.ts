/** Changes of volumes as EC2 answers them. */
import type { VolumeModification } from '@aws-sdk/client-ec2'
import type { Modification } from './modification.ts'

export function viewModification(modification: Modification): VolumeModification {
  const { original, target, state } = modification
  return {
    VolumeId: modification.volumeId,
    ModificationState: state,
    StatusMessage: modification.message,
    TargetSize: target.sizeGiB,
    TargetIops: target.iops,
    TargetVolumeType: target.type,
    TargetThroughput: target.throughput,
    TargetMultiAttachEnabled: false,
    OriginalSize: original.sizeGiB,
    OriginalIops: original.iops,
    OriginalVolumeType: original.type,
    OriginalThroughput: original.throughput,
    OriginalMultiAttachEnabled: false,
    Progress: state === 'completed' ? 100 : 0,
    StartTime: modification.startedAt,
    EndTime: modification.endedAt,
    Operator: { Managed: false },
  }
}
