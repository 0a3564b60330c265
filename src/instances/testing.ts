/** For tests: an instance that runs, as far as its row says. */
import { noCause } from './cause.ts'
import type { Instance } from './instance.ts'
import { defaultMetadataOptions } from './metadata-options.ts'

export function anInstance(number: number, changes: Partial<Instance> = {}): Instance {
  const { region = 'us-east-1' } = changes
  return {
    id: `i-${String(number).padStart(17, '0')}`,
    accountId: '111111111111',
    region,
    reservationId: 'r-00000000000000001',
    launchIndex: 0,
    clientToken: undefined,
    imageId: 'ami-00000000000000001',
    instanceType: 't3.nano',
    architecture: 'x86_64',
    state: 'running',
    stateSince: new Date(1),
    cause: noCause,
    isStopForced: false,
    rebootsWanted: 0,
    rebootsDone: 0,
    keyName: undefined,
    vpcId: 'vpc-00000000000000001',
    subnetId: 'subnet-00000000000000001',
    availabilityZone: `${region}a`,
    launchedAt: new Date(1),
    bootMode: 'uefi-preferred',
    currentBootMode: 'uefi',
    tpmSupport: undefined,
    enaSupport: true,
    rootDeviceName: '/dev/xvda',
    rootDeviceType: 'ebs',
    platform: undefined,
    platformDetails: 'Linux/UNIX',
    usageOperation: 'RunInstances',
    userData: undefined,
    isTerminationDisabled: false,
    isStopDisabled: false,
    shutdownBehavior: 'stop',
    metadataOptions: defaultMetadataOptions({ imdsSupport: undefined }),
    isEbsOptimized: false,
    isMonitored: false,
    hasSourceDestCheck: true,
    ...changes,
  }
}
