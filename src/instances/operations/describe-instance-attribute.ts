/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html */
import type { DescribeInstanceAttributeRequest, InstanceAttribute } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { listInterfaces } from '../../network/interface-store.ts'
import { listAttachments } from '../../volumes/store.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { findOneInstance } from '../lookup.ts'
import { viewDisks } from '../view.ts'

type Call = ReadCall<DescribeInstanceAttributeRequest>
type Describe = (
  instance: Instance,
  call: Call,
) => InstanceAttribute | Promise<Partial<InstanceAttribute>>

export const describeInstanceAttribute = readOperation<
  DescribeInstanceAttributeRequest,
  InstanceAttribute
>({
  action: 'DescribeInstanceAttribute',

  async run(call) {
    const { InstanceId = '', Attribute = '' } = call.input
    const describe = Object.hasOwn(attributes, Attribute) ? attributes[Attribute] : undefined
    if (!describe) {
      throw new ApiError(
        'InvalidParameterValue',
        `Value (${Attribute}) for parameter attribute is invalid. Unknown attribute.`,
      )
    }
    const instance = await findOneInstance(call.db, call, InstanceId)
    return { InstanceId: instance.id, ...(await describe(instance, call)) }
  },
})

/** An attribute that has no value here is answered as an empty element. */
const attributes: Readonly<Record<string, Describe>> = {
  blockDeviceMapping: async ({ id, rootDeviceName }, { db }) => ({
    BlockDeviceMappings: viewDisks(
      await listAttachments(db, { instanceIds: [id] }),
      rootDeviceName,
    ),
  }),
  disableApiStop: (instance) => ({ DisableApiStop: { Value: instance.isStopDisabled } }),
  disableApiTermination: (instance) => ({
    DisableApiTermination: { Value: instance.isTerminationDisabled },
  }),
  ebsOptimized: (instance) => ({ EbsOptimized: { Value: instance.isEbsOptimized } }),
  enaSupport: (instance) => ({ EnaSupport: { Value: instance.enaSupport } }),
  enclaveOptions: () => ({ EnclaveOptions: { Enabled: false } }),
  groupSet: async ({ id }, { db }) => {
    const [nic] = await listInterfaces(db, { instanceIds: [id] })
    return { Groups: (nic?.groupIds ?? []).map((groupId) => ({ GroupId: groupId })) }
  },
  instanceInitiatedShutdownBehavior: (instance) => ({
    InstanceInitiatedShutdownBehavior: { Value: instance.shutdownBehavior },
  }),
  instanceType: (instance) => ({ InstanceType: { Value: instance.instanceType } }),
  kernel: () => ({ KernelId: {} }),
  productCodes: () => ({ ProductCodes: [] }),
  ramdisk: () => ({ RamdiskId: {} }),
  rootDeviceName: (instance) => ({ RootDeviceName: { Value: instance.rootDeviceName } }),
  sourceDestCheck: (instance) => ({ SourceDestCheck: { Value: instance.hasSourceDestCheck } }),
  sriovNetSupport: () => ({ SriovNetSupport: {} }),
  userData: (instance) => ({ UserData: { Value: instance.userData } }),
}
