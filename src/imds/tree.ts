/**
 * What an instance is told of itself, as a tree: leaves are texts, folders list
 * their names. Laid out as EC2's, which cloud-init and the SDKs walk.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
 */
export type Tree = { readonly [name: string]: Tree | Leaf }

/** A text, or what makes it when it is read. */
type Leaf = string | (() => string)

export interface Facts {
  readonly accountId: string
  readonly region: string
  readonly availabilityZone: string
  readonly availabilityZoneId: string
  readonly instanceId: string
  readonly imageId: string
  /** Where its root was bundled, if it was. */
  readonly manifestPath: string | undefined
  readonly instanceType: string
  readonly architecture: string
  readonly reservationId: string
  readonly launchIndex: number
  readonly launchedAt: Date
  readonly hostname: string
  readonly key: { readonly name: string; readonly publicKey: string } | undefined
  readonly groups: readonly { readonly id: string; readonly name: string }[]
  readonly network: {
    readonly interfaceId: string
    readonly mac: string
    readonly privateIp: string
    readonly publicIp: string | undefined
    readonly subnetId: string
    readonly subnetCidr: string
    readonly vpcId: string
    readonly vpcCidr: string
  }
  readonly rootDeviceName: string
  /** The device names of the other volumes. */
  readonly otherDevices: readonly string[]
  /** None where the instance may not read its tags. */
  readonly tags: readonly { readonly key: string; readonly value: string }[] | undefined
  /** None where the instance has no profile. */
  readonly iam: Tree | undefined
  /** Where the instance reaches the API. */
  readonly endpoint: string
}

/** `meta-data/` and `dynamic/` of an instance. */
export function metadataTree(facts: Facts): Tree {
  return { 'meta-data': metadata(facts), dynamic: dynamic(facts) }
}

function metadata(facts: Facts): Tree {
  const { network, key, hostname } = facts
  const publicIp = network.publicIp === undefined ? {} : { 'public-ipv4': network.publicIp }
  return {
    'ami-id': facts.imageId,
    'ami-launch-index': String(facts.launchIndex),
    'ami-manifest-path': facts.manifestPath ?? '(unknown)',
    'block-device-mapping': {
      ami: facts.rootDeviceName,
      ...Object.fromEntries(facts.otherDevices.map((name, index) => [`ebs${index + 1}`, name])),
      root: facts.rootDeviceName,
    },
    hostname,
    ...(facts.iam && { iam: facts.iam }),
    'instance-action': 'none',
    'instance-id': facts.instanceId,
    'instance-life-cycle': 'on-demand',
    'instance-type': facts.instanceType,
    'local-hostname': hostname,
    'local-ipv4': network.privateIp,
    mac: network.mac,
    network: { interfaces: { macs: { [network.mac]: networkInterface(facts) } } },
    placement: {
      'availability-zone': facts.availabilityZone,
      'availability-zone-id': facts.availabilityZoneId,
      region: facts.region,
    },
    profile: 'default-hvm',
    ...publicIp,
    ...(key && { 'public-keys': { [`0=${key.name}`]: { 'openssh-key': `${key.publicKey}\n` } } }),
    'reservation-id': facts.reservationId,
    'security-groups': facts.groups.map(({ name }) => name).join('\n'),
    services: { domain: 'amazonaws.com', endpoint: facts.endpoint, partition: 'aws' },
    system: 'nitro',
    ...(facts.tags && {
      tags: {
        instance: Object.fromEntries(facts.tags.map(({ key, value }) => [key, value] as const)),
      },
    }),
  }
}

function networkInterface({ accountId, hostname, network, groups }: Facts): Tree {
  const { publicIp, privateIp } = network
  return {
    'device-number': '0',
    'interface-id': network.interfaceId,
    ...(publicIp !== undefined && { 'ipv4-associations': { [publicIp]: privateIp } }),
    'local-hostname': hostname,
    'local-ipv4s': privateIp,
    mac: network.mac,
    'owner-id': accountId,
    ...(publicIp !== undefined && { 'public-ipv4s': publicIp }),
    'security-group-ids': groups.map(({ id }) => id).join('\n'),
    'security-groups': groups.map(({ name }) => name).join('\n'),
    'subnet-id': network.subnetId,
    'subnet-ipv4-cidr-block': network.subnetCidr,
    'vpc-id': network.vpcId,
    'vpc-ipv4-cidr-block': network.vpcCidr,
    'vpc-ipv4-cidr-blocks': network.vpcCidr,
  }
}

function dynamic(facts: Facts): Tree {
  const document = {
    accountId: facts.accountId,
    architecture: facts.architecture,
    availabilityZone: facts.availabilityZone,
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: facts.imageId,
    instanceId: facts.instanceId,
    instanceType: facts.instanceType,
    kernelId: null,
    pendingTime: facts.launchedAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    privateIp: facts.network.privateIp,
    ramdiskId: null,
    region: facts.region,
    version: '2017-09-30',
  }
  return { 'instance-identity': { document: JSON.stringify(document, undefined, 2) } }
}

/**
 * Reads a path of the tree, such as `meta-data/placement/region`. A folder reads
 * as the list of what is in it, its folders with a slash behind; nothing where
 * there is no such path.
 */
export function readTree(tree: Tree, path: string): string | undefined {
  let at: Tree | Leaf = tree
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (isLeaf(at)) return undefined
    const next: Tree | Leaf | undefined = childOf(at, name)
    if (next === undefined) return undefined
    at = next
  }
  if (typeof at === 'function') return at()
  return typeof at === 'string' ? at : listing(at)
}

const isLeaf = (at: Tree | Leaf): at is Leaf => typeof at === 'string' || typeof at === 'function'

function childOf(tree: Tree, name: string): Tree | Leaf | undefined {
  if (Object.hasOwn(tree, name)) return tree[name]
  // Keys are listed as `0=name`, and read as `0`.
  const [, child] = Object.entries(tree).find(([key]) => key.startsWith(`${name}=`)) ?? []
  return child
}

function listing(tree: Tree): string {
  return Object.entries(tree)
    .map(([name, child]) => (isLeaf(child) || name.includes('=') ? name : `${name}/`))
    .join('\n')
}
