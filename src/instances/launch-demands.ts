/**
 * What `RunInstances` demands: its action on everything that the launch touches and on
 * everything that it makes, each with what it shall be. What the call leaves open is found
 * as the launch itself finds it; what cannot be found is left for the launch to refuse.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances
 */
import type { RunInstancesRequest } from '@aws-sdk/client-ec2'
import type { Demand } from '../iam/demand.ts'
import { ec2Arn, factsOfInstance } from '../iam/ec2-resources.ts'
import {
  type Asking,
  demandsOn,
  making,
  namesAt,
  placeOf,
  taggingDemands,
} from '../iam/ec2-touched.ts'
import { type Entity, entityArn } from '../iam/entity.ts'
import type { Image } from '../images/image.ts'
import { findVisible } from '../images/find.ts'
import { findNamedProfile } from '../instance-profiles/choose-profile.ts'
import { ApiError } from '../lib/errors.ts'
import { isId } from '../lib/ids.ts'
import { findGroupsOfInterface, findSubnetForLaunch } from '../network/interfaces.ts'
import type { Subnet } from '../network/subnet.ts'
import { findZone } from '../network/zone.ts'
import { demandsToResolve, resolveImageId } from '../parameters/resolve-image.ts'
import { factsOfWish } from '../volumes/demands.ts'
import { mergeBlockDevices } from './block-devices.ts'
import { defaultInstanceType } from './instance-type.ts'
import { defaultMetadataOptions, withMetadataOptions } from './metadata-options.ts'

const action = 'RunInstances'

type Input = RunInstancesRequest

export async function launchDemands(input: Input, asking: Asking): Promise<readonly Demand[]> {
  const { db } = asking
  const place = placeOf(asking)
  const named = input.ImageId ?? ''
  const toResolve = await demandsToResolve(named, asking)
  const imageId = await orNothing(resolveImageId(db, place, named))
  const image =
    imageId !== undefined && isId('image', imageId)
      ? await findVisible(db, { ...place, id: imageId })
      : undefined
  const subnet = await orNothing(
    findSubnetForLaunch({ ...asking, tx: db }, { ...subnetOf(input), ...zoneOf(input, asking) }),
  )
  const { KeyName, IamInstanceProfile } = input
  const profile = IamInstanceProfile && (await findNamedProfile(db, place, IamInstanceProfile))
  const snapshots = namesAt(input, 'BlockDeviceMappings.Ebs.SnapshotId')
  return [
    ...toResolve,
    ...(await demandsOn(action, 'image', imageId ? [imageId] : [], asking)),
    instanceDemand(input, { image, subnet, profile }, asking),
    ...(await volumeDemands(input, { image, subnet }, asking)),
    interfaceDemand(input, subnet, asking),
    ...(await demandsOn(action, 'security-group', await groupsOf(input, subnet, asking), asking)),
    ...(await demandsOn(action, 'subnet', subnet ? [subnet.id] : subnetNames(input), asking)),
    ...(KeyName ? await demandsOn(action, 'key-pair', [KeyName], asking) : []),
    ...(snapshots.length > 0 ? await demandsOn(action, 'snapshot', snapshots, asking) : []),
    ...taggingDemands(action, input, asking),
  ]
}

interface Place {
  readonly image: Image | undefined
  readonly subnet: Subnet | undefined
}

function instanceDemand(
  input: Input,
  { image, subnet, profile }: Place & { readonly profile: Entity | undefined },
  asking: Asking,
): Demand {
  const options = defaultMetadataOptions(image ?? { imdsSupport: undefined })
  const facts = factsOfInstance({
    availabilityZone: subnet?.availabilityZone,
    instanceType: input.InstanceType ?? defaultInstanceType,
    isEbsOptimized: input.EbsOptimized ?? false,
    metadataOptions:
      orNothingNow(() => withMetadataOptions(options, input.MetadataOptions)) ?? options,
    rootDeviceType: image?.rootDeviceType,
  })
  const InstanceProfile = profile && entityArn(profile)
  return making(action, 'instance', input, asking, { facts: { ...facts, InstanceProfile } })
}

/** Each disk is judged by itself. Where no image says which there are: any. */
async function volumeDemands(
  input: Input,
  { image, subnet }: Place,
  asking: Asking,
): Promise<readonly Demand[]> {
  const mappings = input.BlockDeviceMappings
  const wishes = image && orNothingNow(() => mergeBlockDevices(image, mappings))
  if (!wishes) return [making(action, 'volume', input, asking)]
  const demands: Demand[] = []
  const availabilityZone = subnet?.availabilityZone
  for (const wish of wishes) {
    const facts = await factsOfWish({ ...wish, availabilityZone }, asking)
    demands.push(making(action, 'volume', input, asking, { facts }))
  }
  return demands
}

function interfaceDemand(input: Input, subnet: Subnet | undefined, asking: Asking): Demand {
  const place = placeOf(asking)
  const facts = {
    AssociatePublicIpAddress: input.NetworkInterfaces?.[0]?.AssociatePublicIpAddress,
    AvailabilityZone: subnet?.availabilityZone,
    Subnet: subnet && ec2Arn('subnet', place, subnet.id),
    Vpc: subnet && ec2Arn('vpc', place, subnet.vpcId),
  }
  return making(action, 'network-interface', input, asking, { facts })
}

async function groupsOf(
  input: Input,
  subnet: Subnet | undefined,
  asking: Asking,
): Promise<readonly string[]> {
  const groupIds = input.NetworkInterfaces?.[0]?.Groups ?? input.SecurityGroupIds ?? []
  const { SecurityGroups: groupNames = [] } = input
  const tx = asking.db
  const found =
    subnet &&
    (await orNothing(findGroupsOfInterface({ ...asking, tx }, subnet, { groupIds, groupNames })))
  return found ?? [...groupIds, ...groupNames]
}

const subnetNames = (input: Input): readonly string[] => {
  const { subnetId } = subnetOf(input)
  return subnetId ? [subnetId] : []
}

const subnetOf = (input: Input) => ({
  subnetId: input.NetworkInterfaces?.[0]?.SubnetId ?? input.SubnetId,
})

function zoneOf({ Placement }: Input, { region }: Asking) {
  const wanted = Placement?.AvailabilityZone ?? Placement?.AvailabilityZoneId
  return { availabilityZone: wanted && findZone(region, wanted)?.name }
}

/** What the launch will refuse in its own words. */
async function orNothing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

function orNothingNow<T>(find: () => T): T | undefined {
  try {
    return find()
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}
