/** For tests: an image as it is registered, on one disk. */
import type { NewImage } from './image.ts'

export function anImage(number: number, changes: Partial<NewImage> = {}): NewImage {
  const { accountId = '111111111111', name = `image-${number}` } = changes
  return {
    id: `ami-${String(number).padStart(17, '0')}`,
    accountId,
    region: 'us-east-1',
    name,
    description: undefined,
    location: `${accountId}/${name}`,
    state: 'available',
    stateReason: undefined,
    createdAt: new Date(1),
    deregisteredAt: undefined,
    architecture: 'x86_64',
    bootMode: 'uefi-preferred',
    rootDeviceName: '/dev/xvda',
    rootDeviceType: 'ebs',
    virtualizationType: 'hvm',
    platform: undefined,
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
    enaSupport: true,
    sriovNetSupport: 'simple',
    imdsSupport: undefined,
    tpmSupport: undefined,
    isPublic: false,
    sourceInstanceId: undefined,
    sourceImageId: undefined,
    sourceImageRegion: undefined,
    lastLaunchedAt: undefined,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        ebs: {
          snapshotId: 'snap-00000000000000001',
          sizeGiB: 2,
          type: 'gp3',
          deleteOnTermination: true,
        },
      },
    ],
    ...changes,
  }
}
