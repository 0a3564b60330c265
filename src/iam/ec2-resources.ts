/**
 * The resources of EC2 as policies know them: their ARNs and condition keys. Of what a
 * call is about to make, the id is not known: its ARN ends in `*`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
import type { ContextEntries } from '../policies/context.ts'
import type { Tag } from '../tags/tag.ts'
import type { Touched } from './demand.ts'

export interface Place {
  readonly region: string
  readonly accountId: string
}

type Facts<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What the type of a resource says of its keys: each by the name that AWS gives it. */
const types = {
  image: ['ImageID', 'ImageType', 'Owner', 'Public', 'RootDeviceType'],
  instance: [
    'AvailabilityZone',
    'EbsOptimized',
    'InstanceID',
    'InstanceMarketType',
    'InstanceProfile',
    'InstanceType',
    'IsLaunchTemplateResource',
    'LaunchTemplate',
    'MetadataHttpEndpoint',
    'MetadataHttpPutResponseHopLimit',
    'MetadataHttpTokens',
    'PlacementGroup',
    'RootDeviceType',
    'Tenancy',
  ],
  'key-pair': ['KeyPairName', 'KeyPairType'],
  'network-interface': [
    'AssociatePublicIpAddress',
    'AvailabilityZone',
    'NetworkInterfaceID',
    'Subnet',
    'Vpc',
  ],
  'security-group': ['SecurityGroupID', 'Vpc'],
  snapshot: [
    'Encrypted',
    'Location',
    'Owner',
    'ParentSnapshot',
    'ParentVolume',
    'SnapshotID',
    'SnapshotTime',
    'VolumeSize',
  ],
  subnet: ['AvailabilityZone', 'SubnetID', 'Vpc'],
  volume: [
    'AvailabilityZone',
    'Encrypted',
    'KmsKeyId',
    'ParentSnapshot',
    'VolumeID',
    'VolumeInitializationRate',
    'VolumeIops',
    'VolumeSize',
    'VolumeThroughput',
    'VolumeType',
  ],
  vpc: ['VpcID'],
} as const

export type Ec2Type = keyof typeof types

/** A condition key's value: an id is written as AWS does, a date as ISO, a flag as a word. */
export type Fact = string | number | boolean | Date

export type FactsOf<T extends Ec2Type> = Facts<Record<(typeof types)[T][number], Fact>>

/** Images and snapshots have no account in their ARNs. */
const isWithoutAccount = (type: Ec2Type): boolean => type === 'image' || type === 'snapshot'

/** `arn:aws:ec2:us-east-1::image/ami-…` */
export function ec2Arn(type: Ec2Type, { region, accountId }: Place, name = '*'): string {
  return `arn:aws:ec2:${region}:${isWithoutAccount(type) ? '' : accountId}:${type}/${name}`
}

/** A resource of EC2, as it is or as it shall be. */
export function ec2Resource<T extends Ec2Type>(
  type: T,
  place: Place & { readonly id?: string },
  { facts = {}, tags = [] }: { readonly facts?: FactsOf<T>; readonly tags?: readonly Tag[] } = {},
): Touched {
  const known = Object.entries(facts as Facts<Record<string, Fact>>)
  const own = known.flatMap(([name, fact]) =>
    fact === undefined ? [] : [[`ec2:${name}`, textOf(fact)] as const],
  )
  return {
    arn: ec2Arn(type, place, place.id),
    keys: { 'ec2:Region': place.region, ...Object.fromEntries(own), ...tagsOnResource(tags) },
  }
}

function textOf(fact: Fact): string {
  return fact instanceof Date ? fact.toISOString() : String(fact)
}

const tagsOnResource = (tags: readonly Tag[]): ContextEntries =>
  Object.fromEntries(
    tags.flatMap(({ key, value }) => [
      [`aws:ResourceTag/${key}`, value],
      [`ec2:ResourceTag/${key}`, value],
    ]),
  )

/** What a call says of the tags that it puts on something, or takes away. */
export function tagsOfRequest(tags: readonly (Tag | Pick<Tag, 'key'>)[]): ContextEntries {
  const put = tags.flatMap((tag) =>
    'value' in tag ? [[`aws:RequestTag/${tag.key}`, tag.value] as const] : [],
  )
  return { ...Object.fromEntries(put), 'aws:TagKeys': tags.map(({ key }) => key) }
}

/** The tags that a call gives to what it makes need the permission to tag it, in that call. */
export function taggingOnCreate(made: Touched, tags: readonly Tag[], createAction: string) {
  const keys = { ...made.keys, ...tagsOfRequest(tags), 'ec2:CreateAction': createAction }
  return tags.length === 0 ? [] : [{ action: 'ec2:CreateTags', touched: { ...made, keys } }]
}

/**
 * What `Modify…Attribute` says of itself: which attribute, its new value, and whom a
 * permission is given to or taken from.
 */
export function changeOfAttribute(change: {
  readonly attribute: string
  readonly value?: string | undefined
  /** `userId`, `group`, `organizationArn`, … */
  readonly add?: Readonly<Record<string, readonly string[]>>
  readonly remove?: Readonly<Record<string, readonly string[]>>
}): ContextEntries {
  const { attribute, value, add = {}, remove = {} } = change
  const named = (way: string, lists: Readonly<Record<string, readonly string[]>>) =>
    Object.entries(lists).map(([kind, list]) => [`ec2:${way}/${kind}`, list] as const)
  return {
    'ec2:Attribute': attribute,
    [`ec2:Attribute/${attribute}`]: value,
    ...Object.fromEntries([...named('Add', add), ...named('Remove', remove)]),
  }
}
