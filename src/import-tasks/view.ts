/** Import tasks as EC2 answers them. */
import type { ImportImageTask, ImportSnapshotTask, SnapshotTaskDetail } from '@aws-sdk/client-ec2'
import type { Tag } from '../tags/tag.ts'
import { viewTags } from '../tags/view.ts'
import type { Container } from './container.ts'
import type { ImportTask, TaskDisk, TaskState } from './import-task.ts'
import { diskImageSizeUnitBytes, failedStatus } from './unknowns.ts'

/** As AWS names the state of a task. */
export const statusOf = ({ state }: { readonly state: TaskState }): string =>
  state === 'deleted' ? failedStatus : state

export function viewSnapshotTask(task: ImportTask, tags: readonly Tag[]): ImportSnapshotTask {
  const [container] = task.containers
  const [disk = {}] = task.disks
  return {
    ImportTaskId: task.id,
    Description: task.description,
    SnapshotTaskDetail: { ...viewDisk(container, disk), ...viewProgress(task), ...viewKey(task) },
    Tags: tags.length > 0 ? viewTags(tags) : undefined,
  }
}

export function viewImageTask(task: ImportTask, tags: readonly Tag[]): ImportImageTask {
  const { image } = task
  return {
    ImportTaskId: task.id,
    Description: task.description,
    Architecture: image?.architecture,
    Platform: image?.platform,
    BootMode: image?.bootMode,
    LicenseType: image?.licenseType,
    UsageOperation: image?.usageOperation,
    ...viewKey(task),
    ImageId: task.imageId,
    ...viewProgress(task),
    SnapshotDetails: task.containers.map((container, index) => ({
      ...viewDisk(container, task.disks[index] ?? {}),
      DeviceName: container.deviceName,
      Status: statusOf(task),
    })),
    Tags: tags.length > 0 ? viewTags(tags) : undefined,
  }
}

const viewKey = ({ kmsKeyArn }: ImportTask) => ({
  Encrypted: kmsKeyArn !== undefined,
  KmsKeyId: kmsKeyArn,
})

/** AWS tells no progress of what is completed. */
function viewProgress(task: ImportTask) {
  return {
    Status: statusOf(task),
    ...(task.state !== 'completed' && {
      StatusMessage: task.message,
      Progress: String(task.progressPercent),
    }),
  }
}

function viewDisk(container: Container | undefined, disk: TaskDisk): SnapshotTaskDetail {
  const { source } = container ?? {}
  return {
    Description: container?.description,
    DiskImageSize: (disk.fileBytes ?? 0) / diskImageSizeUnitBytes,
    Format: container?.format ?? disk.format,
    SnapshotId: disk.snapshotId,
    ...(source?.kind === 'url' && { Url: source.url }),
    ...(source?.kind === 'object' &&
      (source.url === undefined
        ? { UserBucket: { S3Bucket: source.bucket, S3Key: source.key } }
        : { Url: source.url })),
  }
}
