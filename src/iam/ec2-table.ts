/**
 * Which resources each action of EC2 touches, and where its input names them. What is not
 * here has no resources as AWS has it, or (where it says so itself) some that have to be
 * looked for.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
import type { Ec2Type } from './ec2-resources.ts'

export interface Touch {
  readonly type: Ec2Type
  /** The members of the input of which the first names it, or a list of it. None for what is to be made. */
  readonly members?: readonly string[]
  /** Where it is not named it is not touched, and not any one of its type. */
  readonly isOptional?: true
}

const one = (type: Ec2Type, ...members: readonly string[]): Touch => ({ type, members })
const perhaps = (type: Ec2Type, member: string): Touch => ({
  type,
  members: [member],
  isOptional: true,
})
/** What the call makes: its id is not known, but the tags that it gets are. */
const made = (type: Ec2Type): Touch => ({ type })

const image = [one('image', 'ImageId')]
const instance = [one('instance', 'InstanceId')]
const instances = [one('instance', 'InstanceIds')]
const group = [one('security-group', 'GroupId', 'GroupName')]
const snapshot = [one('snapshot', 'SnapshotId')]
const volume = [one('volume', 'VolumeId')]
const fastSnapshots = [one('snapshot', 'SourceSnapshotIds')]

export const touchedBy: Readonly<Record<string, readonly Touch[]>> = {
  AttachImageWatermark: image,
  AttachVolume: [...instance, ...volume],
  AuthorizeSecurityGroupEgress: group,
  AuthorizeSecurityGroupIngress: group,
  CancelDeclarativePoliciesReport: [one('declarative-policies-report', 'ReportId')],
  CancelImageLaunchPermission: image,
  // The source is a matter of who has shared it with whom.
  CopyImage: [made('image'), made('snapshot')],
  CreateImageUsageReport: [...image, made('image-usage-report')],
  CreateReplaceRootVolumeTask: [
    ...instance,
    perhaps('image', 'ImageId'),
    perhaps('snapshot', 'SnapshotId'),
    made('replace-root-volume-task'),
    one('volume', 'VolumeId'),
  ],
  CreateRestoreImageTask: [made('image')],
  CreateStoreImageTask: image,
  DeleteImageUsageReport: [one('image-usage-report', 'ReportId')],
  DeleteKeyPair: [one('key-pair', 'KeyPairId', 'KeyName')],
  DeleteSecurityGroup: group,
  DeleteSnapshot: snapshot,
  DeleteVolume: volume,
  DeregisterImage: image,
  DescribeImageAttribute: image,
  DescribeInstanceAttribute: instance,
  DescribeSnapshotAttribute: snapshot,
  DescribeVolumeAttribute: volume,
  DetachImageWatermark: image,
  DisableFastLaunch: image,
  DisableFastSnapshotRestores: fastSnapshots,
  DisableImage: image,
  DisableImageDeprecation: image,
  DisableImageDeregistrationProtection: image,
  EnableFastLaunch: image,
  EnableFastSnapshotRestores: fastSnapshots,
  EnableImage: image,
  EnableImageDeprecation: image,
  EnableImageDeregistrationProtection: image,
  EnableVolumeIO: volume,
  GetConsoleOutput: instance,
  GetConsoleScreenshot: instance,
  GetDeclarativePoliciesReportSummary: [one('declarative-policies-report', 'ReportId')],
  GetImageAncestry: image,
  GetImageFindings: image,
  GetInstanceTpmEkPub: instance,
  GetInstanceUefiData: instance,
  ImportImage: [
    made('image'),
    made('import-image-task'),
    perhaps('snapshot', 'DiskContainers.SnapshotId'),
  ],
  ImportSnapshot: [made('import-snapshot-task'), made('snapshot')],
  RebootInstances: instances,
  RegisterImage: [made('image'), perhaps('snapshot', 'BlockDeviceMappings.Ebs.SnapshotId')],
  ReplaceImageInstanceTypeSpecification: image,
  ResetInstanceAttribute: instance,
  RestoreImageFromRecycleBin: image,
  RestoreSnapshotFromRecycleBin: snapshot,
  RestoreSnapshotTier: snapshot,
  RestoreVolumeFromRecycleBin: volume,
  RevokeSecurityGroupEgress: group,
  RevokeSecurityGroupIngress: group,
  StartInstances: instances,
  StopInstances: instances,
  TerminateInstances: instances,
  UnlockSnapshot: snapshot,
}
