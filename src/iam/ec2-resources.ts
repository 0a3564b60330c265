/**
 * The resources of EC2 as policies know them: their ARNs and condition keys. Of what a
 * call is about to make, the id is not known: its ARN ends in `*`.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
 */
import type { ContextEntries } from '../policies/context.ts'
import type { Instance } from '../instances/instance.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import type { Tag } from '../tags/tag.ts'
import type { Volume } from '../volumes/volume.ts'
import type { Touched } from './demand.ts'

export interface Place {
  readonly region: string
  readonly accountId: string
}

type Facts<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** What the type of a resource says of its keys: each by the name that AWS gives it. */
const types = {
  'declarative-policies-report': [],
  image: ['BootModeOverride', 'ImageID', 'ImageType', 'Owner', 'Public', 'RootDeviceType'],
  'image-usage-report': [],
  'import-image-task': [],
  'import-snapshot-task': [],
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
  'replace-root-volume-task': [],
  'security-group': ['SecurityGroupID', 'Vpc'],
  'security-group-rule': [],
  snapshot: [
    'AvailabilityZone',
    'Encrypted',
    'Location',
    'Owner',
    'ParentSnapshot',
    'ParentVolume',
    'SnapshotCoolOffPeriod',
    'SnapshotID',
    'SnapshotLockDuration',
    'SnapshotTime',
    'VolumeSize',
  ],
  subnet: ['AvailabilityZone', 'SubnetID', 'Vpc'],
  volume: [
    'AvailabilityZone',
    'Encrypted',
    'KmsKeyId',
    'ParentSnapshot',
    'ParentVolume',
    'VolumeID',
    'VolumeInitializationRate',
    'VolumeIops',
    'VolumeSize',
    'VolumeThroughput',
    'VolumeType',
  ],
  vpc: ['Tenancy', 'VpcID'],
} as const

export type Ec2Type = keyof typeof types

export const isEc2Type = (text: string): text is Ec2Type => Object.hasOwn(types, text)

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

export function factsOfInstance(
  instance: Facts<Pick<Instance, 'availabilityZone' | 'id' | 'rootDeviceType'>> &
    Pick<Instance, 'instanceType' | 'isEbsOptimized' | 'metadataOptions'>,
): FactsOf<'instance'> {
  const { httpEndpoint, httpPutResponseHopLimit, httpTokens } = instance.metadataOptions
  return {
    AvailabilityZone: instance.availabilityZone,
    EbsOptimized: instance.isEbsOptimized,
    InstanceID: instance.id,
    InstanceMarketType: 'on-demand',
    InstanceType: instance.instanceType,
    MetadataHttpEndpoint: httpEndpoint,
    MetadataHttpPutResponseHopLimit: httpPutResponseHopLimit,
    MetadataHttpTokens: httpTokens,
    RootDeviceType: instance.rootDeviceType,
    Tenancy: 'default',
  }
}

export function factsOfSnapshot(
  snapshot: Pick<
    Snapshot,
    'accountId' | 'id' | 'kmsKeyArn' | 'region' | 'startedAt' | 'volumeId' | 'volumeSizeGiB'
  >,
): FactsOf<'snapshot'> {
  return {
    Encrypted: snapshot.kmsKeyArn !== undefined,
    Owner: snapshot.accountId,
    ParentVolume: ec2Arn('volume', snapshot, snapshot.volumeId),
    SnapshotID: snapshot.id,
    SnapshotTime: snapshot.startedAt,
    VolumeSize: snapshot.volumeSizeGiB,
  }
}

export function factsOfVolume(volume: Volume): FactsOf<'volume'> {
  const { snapshotId, sourceVolumeId } = volume
  return {
    AvailabilityZone: volume.availabilityZone,
    Encrypted: volume.kmsKeyArn !== undefined,
    ParentSnapshot: snapshotId && ec2Arn('snapshot', volume, snapshotId),
    ParentVolume: sourceVolumeId && ec2Arn('volume', volume, sourceVolumeId),
    VolumeID: volume.id,
    VolumeInitializationRate: volume.initializationRate,
    VolumeIops: volume.iops,
    VolumeSize: volume.sizeGiB,
    VolumeThroughput: volume.throughput,
    VolumeType: volume.type,
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
  if (tags.length === 0) return {}
  return { ...Object.fromEntries(put), 'aws:TagKeys': tags.map(({ key }) => key) }
}

/** The tags that a call gives to what it makes need the permission to tag it, in that call. */
export function taggingOnCreate(made: Touched, tags: readonly Tag[], createAction: string) {
  const keys = { ...made.keys, ...tagsOfRequest(tags), 'ec2:CreateAction': createAction }
  return tags.length === 0 ? [] : [{ action: 'ec2:CreateTags', touched: { ...made, keys } }]
}

/** Whom a permission is given to, or taken from. */
export interface Grantee {
  /** `userId`, `group`, `organizationArn`, … */
  readonly kind: string
  readonly value: string
}

/** Grantees as calls write them: `{ UserId }`, `{ Group }` and so on. */
export const granteesOf = (items: readonly object[] = []): readonly Grantee[] =>
  items.flatMap((item) =>
    Object.entries(item).flatMap(([member, value]) =>
      typeof value === 'string'
        ? [
            {
              kind: `${member.charAt(0).toLowerCase()}${member.slice(1)}`,
              // Account numbers may be written as the console shows them.
              value: member === 'UserId' ? value.replaceAll('-', '') : value,
            },
          ]
        : [],
    ),
  )

/**
 * What `Modify…` and `Reset…` say of themselves: which attribute, by the name of its member;
 * the new values; and whom a permission is given to or taken from. Each of these keys has
 * one value, so a call is judged once for each attribute and for each grantee.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-policies-for-amazon-ec2.html#attribute-key
 */
export function changesOf(change: {
  readonly attributes: Readonly<Record<string, string | number | boolean | undefined>>
  readonly add?: readonly Grantee[]
  readonly remove?: readonly Grantee[]
}): readonly ContextEntries[] {
  const { attributes, add = [], remove = [] } = change
  const values = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [
      `ec2:Attribute/${name}`,
      value === undefined ? undefined : String(value),
    ]),
  )
  const grants: readonly ContextEntries[] = [
    ...add.map(({ kind, value }) => ({ [`ec2:Add/${kind}`]: value })),
    ...remove.map(({ kind, value }) => ({ [`ec2:Remove/${kind}`]: value })),
  ]
  const changes = Object.keys(attributes).flatMap((name) =>
    (grants.length > 0 ? grants : [{}]).map((grant) => ({
      ...values,
      ...grant,
      'ec2:Attribute': name,
    })),
  )
  return changes.length > 0 ? changes : [{}]
}

/** An attribute that a call names as a word is called as its member is. */
export const attributeNamed = (word: string): string =>
  `${word.charAt(0).toUpperCase()}${word.slice(1)}`
