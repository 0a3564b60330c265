/** An instance type as EC2 answers it, and what the filters of `DescribeInstanceTypes` look at. */
import type { InstanceTypeInfo } from '@aws-sdk/client-ec2'
import type { FilterTable } from '../lib/filters.ts'
import { attachmentsMax } from '../volumes/attachment.ts'
import { type InstanceType, needsEna } from './instance-type.ts'

export function viewInstanceType(type: InstanceType): InstanceTypeInfo {
  const { family } = type
  const hasTpm = family.hypervisor === 'nitro'
  return {
    InstanceType: type.name as NonNullable<InstanceTypeInfo['InstanceType']>,
    CurrentGeneration: family.isCurrent,
    FreeTierEligible: type.name === 't2.micro' || type.name === 't3.micro',
    SupportedUsageClasses: ['on-demand'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    BareMetal: false,
    Hypervisor: family.hypervisor,
    ProcessorInfo: {
      SupportedArchitectures: [...family.architectures],
      SustainedClockSpeedInGhz: family.clockGHz,
      Manufacturer: family.manufacturer,
    },
    VCpuInfo: {
      DefaultVCpus: type.vcpus,
      DefaultCores: type.vcpus / type.threadsPerCore,
      DefaultThreadsPerCore: type.threadsPerCore,
    },
    MemoryInfo: { SizeInMiB: type.memoryMiB },
    InstanceStorageSupported: false,
    EbsInfo: {
      EbsOptimizedSupport: family.hypervisor === 'nitro' ? 'default' : 'unsupported',
      EncryptionSupport: 'supported',
      NvmeSupport: 'unsupported',
      MaximumEbsAttachments: attachmentsMax,
      AttachmentLimitType: 'dedicated',
    },
    NetworkInfo: {
      NetworkPerformance: family.networkPerformance,
      MaximumNetworkInterfaces: 1,
      MaximumNetworkCards: 1,
      DefaultNetworkCardIndex: 0,
      NetworkCards: [
        {
          NetworkCardIndex: 0,
          NetworkPerformance: family.networkPerformance,
          MaximumNetworkInterfaces: 1,
        },
      ],
      Ipv4AddressesPerInterface: 1,
      Ipv6AddressesPerInterface: 0,
      Ipv6Supported: false,
      EnaSupport: needsEna(type) ? 'required' : 'unsupported',
      EfaSupported: false,
      EncryptionInTransitSupported: false,
      FlexibleEnaQueuesSupport: 'unsupported',
    },
    PlacementGroupInfo: { SupportedStrategies: [] },
    HibernationSupported: false,
    BurstablePerformanceSupported: family.isBurstable,
    DedicatedHostsSupported: false,
    AutoRecoverySupported: false,
    SupportedBootModes: [...family.bootModes],
    NitroEnclavesSupport: 'unsupported',
    RebootMigrationSupport: 'unsupported',
    ...(hasTpm
      ? { NitroTpmSupport: 'supported', NitroTpmInfo: { SupportedVersions: ['2.0'] } }
      : { NitroTpmSupport: 'unsupported' }),
  }
}

type Info = InstanceTypeInfo

export const instanceTypeFilters: FilterTable<Info> = {
  'auto-recovery-supported': (info) => info.AutoRecoverySupported,
  'bare-metal': (info) => info.BareMetal,
  'burstable-performance-supported': (info) => info.BurstablePerformanceSupported,
  'current-generation': (info) => info.CurrentGeneration,
  'dedicated-hosts-supported': (info) => info.DedicatedHostsSupported,
  'ebs-info.attachment-limit-type': (info) => info.EbsInfo?.AttachmentLimitType,
  'ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps': () => undefined,
  'ebs-info.ebs-optimized-info.baseline-iops': () => undefined,
  'ebs-info.ebs-optimized-info.baseline-throughput-in-mbps': () => undefined,
  'ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps': () => undefined,
  'ebs-info.ebs-optimized-info.maximum-iops': () => undefined,
  'ebs-info.ebs-optimized-info.maximum-throughput-in-mbps': () => undefined,
  'ebs-info.ebs-optimized-support': (info) => info.EbsInfo?.EbsOptimizedSupport,
  'ebs-info.encryption-support': (info) => info.EbsInfo?.EncryptionSupport,
  'ebs-info.maximum-ebs-attachments': (info) => info.EbsInfo?.MaximumEbsAttachments,
  'ebs-info.nvme-support': (info) => info.EbsInfo?.NvmeSupport,
  'free-tier-eligible': (info) => info.FreeTierEligible,
  'hibernation-supported': (info) => info.HibernationSupported,
  hypervisor: (info) => info.Hypervisor,
  'instance-storage-info.disk.count': () => undefined,
  'instance-storage-info.disk.size-in-gb': () => undefined,
  'instance-storage-info.disk.type': () => undefined,
  'instance-storage-info.encryption-support': () => undefined,
  'instance-storage-info.nvme-support': () => undefined,
  'instance-storage-info.total-size-in-gb': () => undefined,
  'instance-storage-supported': (info) => info.InstanceStorageSupported,
  'instance-type': (info) => info.InstanceType,
  'memory-info.size-in-mib': (info) => info.MemoryInfo?.SizeInMiB,
  'network-info.bandwidth-weightings': () => undefined,
  'network-info.efa-info.maximum-efa-interfaces': () => undefined,
  'network-info.efa-supported': (info) => info.NetworkInfo?.EfaSupported,
  'network-info.ena-support': (info) => info.NetworkInfo?.EnaSupport,
  'network-info.encryption-in-transit-supported': (info) =>
    info.NetworkInfo?.EncryptionInTransitSupported,
  'network-info.flexible-ena-queues-support': (info) => info.NetworkInfo?.FlexibleEnaQueuesSupport,
  'network-info.ipv4-addresses-per-interface': (info) =>
    info.NetworkInfo?.Ipv4AddressesPerInterface,
  'network-info.ipv6-addresses-per-interface': (info) =>
    info.NetworkInfo?.Ipv6AddressesPerInterface,
  'network-info.ipv6-supported': (info) => info.NetworkInfo?.Ipv6Supported,
  'network-info.maximum-network-cards': (info) => info.NetworkInfo?.MaximumNetworkCards,
  'network-info.maximum-network-interfaces': (info) => info.NetworkInfo?.MaximumNetworkInterfaces,
  'network-info.network-performance': (info) => info.NetworkInfo?.NetworkPerformance,
  'nitro-enclaves-support': (info) => info.NitroEnclavesSupport,
  'nitro-tpm-info.supported-versions': (info) => info.NitroTpmInfo?.SupportedVersions,
  'nitro-tpm-support': (info) => info.NitroTpmSupport,
  'processor-info.manufacturer': (info) => info.ProcessorInfo?.Manufacturer,
  'processor-info.supported-architecture': (info) => info.ProcessorInfo?.SupportedArchitectures,
  'processor-info.supported-features': () => undefined,
  'processor-info.sustained-clock-speed-in-ghz': (info) =>
    info.ProcessorInfo?.SustainedClockSpeedInGhz,
  'reboot-migration-support': (info) => info.RebootMigrationSupport,
  'supported-boot-mode': (info) => info.SupportedBootModes,
  'supported-root-device-type': (info) => info.SupportedRootDeviceTypes,
  'supported-usage-class': (info) => info.SupportedUsageClasses,
  'supported-virtualization-type': (info) => info.SupportedVirtualizationTypes,
  'vcpu-info.default-cores': (info) => info.VCpuInfo?.DefaultCores,
  'vcpu-info.default-threads-per-core': (info) => info.VCpuInfo?.DefaultThreadsPerCore,
  'vcpu-info.default-vcpus': (info) => info.VCpuInfo?.DefaultVCpus,
  'vcpu-info.valid-cores': () => undefined,
  'vcpu-info.valid-threads-per-core': () => undefined,
}
