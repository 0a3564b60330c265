/** Tasks that replace root volumes as EC2 answers them. */
import type { ReplaceRootVolumeTask } from '@aws-sdk/client-ec2'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Replacement } from './replacement.ts'

export function viewReplacement(task: Replacement, tags: readonly Tag[]): ReplaceRootVolumeTask {
  return {
    ReplaceRootVolumeTaskId: task.id,
    InstanceId: task.instanceId,
    TaskState: task.state,
    StartTime: viewTime(task.startedAt),
    CompleteTime: task.endedAt && viewTime(task.endedAt),
    Tags: viewTags(tags),
    ImageId: task.imageId,
    SnapshotId: task.snapshotId,
    DeleteReplacedRootVolume: task.deletesReplaced,
  }
}

const viewTime = (time: Date): string => time.toISOString().replace(/\.\d+Z$/, 'Z')
