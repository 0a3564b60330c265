/** The launch that is made ahead: what it asks for, and who may have it made. */
import type { EnableFastLaunchRequest, RunInstancesRequest } from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { ec2Demands } from '../iam/ec2-touched.ts'
import { findVisible } from '../images/find.ts'
import type { Image } from '../images/image.ts'
import { supportsType } from '../images/instance-types.ts'
import { findInstanceType } from '../instances/instance-type.ts'
import { launchDemands } from '../instances/launch-demands.ts'
import { ApiError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import type { DemandContext } from '../wire/operation.ts'
import type { HostCapacity } from '../wire/readers.ts'
import { preparingTypes, preparingUserData } from './unknowns.ts'

/** By this tag people find what they pay for. */
export const mark = { key: 'CreatedBy', value: 'EC2 Fast Launch' } as const

export function requestAhead(image: Image, host: HostCapacity): RunInstancesRequest {
  const InstanceType = typeFor(image, host)
  if (!InstanceType) {
    const told = `The host has no room for an instance type that the image '${image.id}' supports`
    throw new ApiError('Unsupported', `${told}: ${preparingTypes.join(', ')}.`)
  }
  const Tags = [{ Key: mark.key, Value: mark.value }]
  return {
    ...unmarked(image),
    InstanceType,
    UserData: Buffer.from(preparingUserData).toString('base64'),
    TagSpecifications: [
      { ResourceType: 'instance', Tags },
      { ResourceType: 'volume', Tags },
      { ResourceType: 'network-interface', Tags },
    ],
  }
}

/**
 * Who enables it has instances launched, and so has to be allowed to do that. The tags are
 * the service's own.
 */
export async function enableDemands(
  input: EnableFastLaunchRequest,
  context: DemandContext,
): Promise<readonly Demand[]> {
  const { db, caller, region, readers } = context
  const own = await ec2Demands('EnableFastLaunch', input, context)
  const { ImageId: id = '' } = input
  const { accountId } = caller
  const image = isId('image', id) ? await findVisible(db, { accountId, region, id }) : undefined
  const request = image
    ? { ...unmarked(image), InstanceType: typeFor(image, readers.host()) }
    : { ImageId: id, MinCount: 1, MaxCount: 1 }
  return [...own, ...(await launchDemands(request, context))]
}

const unmarked = ({ id, blockDevices }: Image) =>
  ({
    ImageId: id,
    MinCount: 1,
    MaxCount: 1,
    InstanceInitiatedShutdownBehavior: 'stop',
    // An agent that runs no user data finds out by the tag that it is to shut down.
    MetadataOptions: { InstanceMetadataTags: 'enabled' },
    // Its disks end with it, whatever the image says of those that are launched of it.
    BlockDeviceMappings: blockDevices.flatMap(({ deviceName, ebs }) =>
      ebs ? [{ DeviceName: deviceName, Ebs: { DeleteOnTermination: true } }] : [],
    ),
  }) as const satisfies RunInstancesRequest

/** The first that the image supports and that there would be room for if the host had nothing else to do. */
function typeFor({ architecture, instanceTypes }: Image, { memoryMiB }: HostCapacity) {
  return preparingTypes.find((name) => {
    const type = findInstanceType(name)
    return (
      type !== undefined &&
      type.memoryMiB <= memoryMiB &&
      type.family.architectures.some((one) => one === architecture) &&
      supportsType(instanceTypes, name)
    )
  })
}
