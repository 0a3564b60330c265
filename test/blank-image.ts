/** An image of a blank disk, made by the calls that people would make it by. */
import assert from 'node:assert/strict'
import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  RegisterImageCommand,
  type RegisterImageCommandInput,
} from '@aws-sdk/client-ec2'
import { region, type TestSystem } from './system.ts'

/** A completed snapshot of a blank volume. */
export async function blankSnapshot(system: TestSystem): Promise<string> {
  const { ec2 } = system
  const input = { AvailabilityZone: `${region}a`, Size: 1 }
  const { VolumeId } = await ec2.send(new CreateVolumeCommand(input))
  assert(VolumeId)
  await system.until('the volume', async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
    return Volumes?.[0]?.State === 'available'
  })
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  assert(SnapshotId)
  await system.until('the snapshot', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    return (await ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
  })
  return SnapshotId
}

export async function registerBlank(
  { ec2 }: Pick<TestSystem, 'ec2'>,
  SnapshotId: string,
  input: Partial<RegisterImageCommandInput> & { readonly Name: string },
): Promise<string> {
  const { ImageId } = await ec2.send(
    new RegisterImageCommand({
      RootDeviceName: '/dev/xvda',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
      ...input,
    }),
  )
  assert(ImageId)
  return ImageId
}
