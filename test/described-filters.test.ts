/**
 * Filters of lists beside what the lists show: each finds exactly what has its value in the
 * field that it is named after. Which filters there are says the SDK's own documentation, so
 * that a newer one that knows more fails here with the name.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import type {
  DescribeInstancesResult,
  DescribeNetworkInterfacesResult,
  DescribeSecurityGroupsResult,
  Filter,
} from '@aws-sdk/client-ec2'
import { actions } from '../src/actions.ts'
import { type Connections, transaction, type Tx } from '../src/db/database.ts'
import { callerIn } from '../src/iam/testing.ts'
import { insertAssociation } from '../src/instance-profiles/store.ts'
import { userInitiated } from '../src/instances/cause.ts'
import type { Instance } from '../src/instances/instance.ts'
import { insertKeyPair } from '../src/key-pairs/store.ts'
import { ensureDefaultNetwork, ruleOf } from '../src/network/defaults.ts'
import { insertGroup, insertRules } from '../src/network/group-store.ts'
import { insertInterface } from '../src/network/interface-store.ts'
import { createInterface } from '../src/network/interfaces.ts'
import { insertSubnet, insertVpc, listSubnets } from '../src/network/store.ts'
import { putTags } from '../src/tags/store.ts'
import { databases } from './databases.ts'
import { newId, putInstance } from './rows.ts'

const accountId = '111111111111'
const region = 'us-east-1'
const owner = { accountId, region }
const now = new Date('2026-11-23T10:00:00.123Z')

const models = new URL('../node_modules/@aws-sdk/client-ec2/dist-types/models/', import.meta.url)
const sdk = readdirSync(models)
  .filter((name) => name.endsWith('.d.ts'))
  .map((name) => readFileSync(new URL(name, models), 'utf8'))
  .join('\n')

/**
 * The names of a request's filters: those that items of the list begin with, and their
 * aliases. All tags here have the key `a`.
 */
function documentedFilters(action: string): readonly string[] {
  const [, request = ''] = sdk.split(`export interface ${action}Request {`)
  const [body = ''] = request.split('\n}\n', 1)
  const [, doc = ''] = /((?:(?!\/\*\*)[^])*)\n {4}Filters\?: /.exec(body) ?? []
  const list = doc.replace(/^[^]*?<ul>/, '').replace(/<ul>[^]*?<\/ul>/g, '')
  const items = list.split('<li>').slice(1)
  return items.flatMap((item) => {
    const [first = '', also = ''] = item.split('You can also use')
    const name = /<code>([^<:]+)/.exec(first)?.[1] ?? assert.fail(item)
    return [
      name === 'tag' ? 'tag:a' : name,
      ...[...also.matchAll(/<code>([^<]+)<\/code>/g)].map(([, alias = '']) => alias),
    ]
  })
}

type Output = Readonly<Record<string, unknown>>
type List = readonly unknown[]

interface Expected {
  /** The list in the answer. */
  readonly list: string
  /** Where a filter, or all that begin with it, look at another field than the one of their name. */
  readonly at?: Readonly<Record<string, string>>
  /** What EC2 takes without a word in its documentation, or had in an older one. */
  readonly also?: readonly string[]
  /** What nothing here ever has. */
  readonly never?: RegExp
}

const ruleFields = (prefix: string, set: string) => ({
  [`${prefix}.cidr`]: `${set}.ip-range.cidr-ip`,
  [`${prefix}.group-id`]: `${set}.user-id-group-pair.group-id`,
  [`${prefix}.group-name`]: `${set}.user-id-group-pair.group-name`,
  [`${prefix}.ipv6-cidr`]: `${set}.ipv6-range.cidr-ipv6`,
  [`${prefix}.prefix-list-id`]: `${set}.prefix-list-id.prefix-list-id`,
  [`${prefix}.protocol`]: `${set}.ip-protocol`,
  [`${prefix}.user-id`]: `${set}.user-id-group-pair.user-id`,
  [prefix]: set,
})

const expectations: Readonly<Record<string, Expected>> = {
  DescribeAvailabilityZones: {
    list: 'AvailabilityZones',
    at: { message: 'message.message' },
    never: /^(group-long-name|message|parent-.*)$/,
  },
  DescribeInstanceStatus: {
    list: 'InstanceStatuses',
    at: {
      'attached-ebs-status.reachability': 'attached-ebs-status.detail.status',
      'instance-state-code': 'instance-state.code',
      'instance-state-name': 'instance-state.name',
      'instance-status.reachability': 'instance-status.detail.status',
      'system-status.reachability': 'system-status.detail.status',
    },
    also: ['attached-ebs-status.reachability'],
    never: /^(application-status|event|operator)\./,
  },
  DescribeInstanceTypeOfferings: { list: 'InstanceTypeOfferings' },
  DescribeInstanceTypes: {
    list: 'InstanceTypes',
    also: ['processor-info.manufacturer'],
    never:
      /^(ebs-info.ebs-optimized-info|instance-storage-info)\.|bandwidth-weightings|efa-info|features|valid/,
  },
  DescribeInstances: {
    list: 'Reservations',
    at: {
      affinity: 'placement.affinity',
      'availability-zone': 'placement.availability-zone',
      'availability-zone-id': 'placement.availability-zone-id',
      'block-device-mapping': 'block-device-mapping.ebs',
      'block-device-mapping.device-name': 'block-device-mapping.device-name',
      'dns-name': 'public-dns-name',
      'host-id': 'placement.host-id',
      'instance-state-code': 'state.code',
      'instance-state-name': 'state.name',
      instance: 'security-group',
      'ip-address': 'public-ip-address',
      'launch-index': 'ami-launch-index',
      'monitoring-state': 'monitoring.state',
      'network-interface.addresses': 'network-interface.private-ip-address',
      'network-interface.group-id': 'network-interface.group.group-id',
      'network-interface.group-name': 'network-interface.group.group-name',
      'network-interface.tag-key': 'network-interface.tag-set.key',
      'network-interface.tag-value': 'network-interface.tag-set.value',
      'placement-group-name': 'placement.group-name',
      'placement-partition-number': 'placement.partition-number',
      reason: 'state-transition-reason',
      'state-reason-code': 'state-reason.code',
      'state-reason-message': 'state-reason.message',
      tenancy: 'placement.tenancy',
    },
    also: ['group-id', 'group-name', 'iam-instance-profile.name'],
    never:
      /^(affinity|dns-name|group-|host-id|instance-lifecycle|kernel-id|network-performance-|outpost-arn|placement-|product-code|ramdisk-id|requester-id|spot-)|(allocation|association)-id$|capacity-reservation-(id|target)|-ipv4$|carrier|customer-owned|deny-all|ipv4-prefix|ipv6-(addr|nat|pre)|operator|interface.(outpost|requester-id)|public-dns/,
  },
  DescribeKeyPairs: { list: 'KeyPairs', at: { fingerprint: 'key-fingerprint' } },
  DescribeNetworkInterfaces: {
    list: 'NetworkInterfaces',
    at: {
      'addresses.association.owner-id': 'private-ip-address.association.ip-owner-id',
      addresses: 'private-ip-address',
      'group-id': 'group.group-id',
      'group-name': 'group.group-name',
    },
    also: ['group-name'],
    never:
      /^association.(allocation-id|association-id|public-dns-name)$|^(ipv6-addresses|operator)|requester-id/,
  },
  DescribeRegions: { list: 'Regions' },
  DescribeSecurityGroupRules: { list: 'SecurityGroupRules', also: ['tag-key'] },
  DescribeSecurityGroups: {
    list: 'SecurityGroups',
    at: {
      ...ruleFields('egress.ip-permission', 'ip-permissions-egress'),
      ...ruleFields('ip-permission', 'ip-permission'),
    },
    never: /prefix-list-id$/,
  },
  DescribeSubnets: {
    list: 'Subnets',
    at: { cidr: 'cidr-block' },
    never: /^(customer-owned-ipv4-pool|enable-lni|ipv6-cidr-block|outpost-arn)/,
  },
  DescribeTags: {
    list: 'Tags',
    at: { 'tag-key': 'key', 'tag:a': 'value' },
    also: ['tag-key'],
  },
  DescribeVpcs: {
    list: 'Vpcs',
    at: {
      cidr: 'cidr-block',
      'cidr-block-association.state': 'cidr-block-association.cidr-block-state.state',
    },
    also: ['cidr-block', 'isDefault'],
    never: /^ipv6-/,
  },
}

let db: Connections
const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())
before(async () => {
  db = await databases.sqlite({ after: (close) => opened.defer(close as () => void) })
  await transaction(db.writes, fillNetwork)
  await fillInstances()
})

async function fillNetwork(tx: Tx): Promise<void> {
  const vpc = await ensureDefaultNetwork(tx, { ...owner, newId, now })
  const other = { ...vpc, id: newId('vpc'), cidr: '10.0.0.0/16', isDefault: false }
  await insertVpc(tx, other)
  const subnet = {
    ...owner,
    id: newId('subnet'),
    vpcId: other.id,
    availabilityZone: `${region}b`,
    cidr: '10.0.1.0/24',
    isDefault: false,
    mapsPublicIp: false,
  }
  await insertSubnet(tx, subnet)
  const web = {
    ...owner,
    id: newId('security-group'),
    vpcId: vpc.id,
    name: 'web',
    description: 'of (web) servers',
  }
  const db = { ...web, id: newId('security-group'), vpcId: other.id, name: 'db' }
  await insertGroup(tx, web)
  await insertGroup(tx, db)
  const ssh = { isEgress: false, protocol: 'tcp', fromPort: 22, toPort: 23, description: 'ssh' }
  const peer = { kind: 'group', groupId: db.id } as const
  const rules = [
    ruleOf(web, { ...ssh, peer: { kind: 'ipv4', cidr: '10.0.0.0/8' } }, newId),
    ruleOf(web, { ...ssh, peer: { kind: 'ipv6', cidr: 'fd00::/8' } }, newId),
    ruleOf(web, { ...ssh, isEgress: true, protocol: 'udp', fromPort: 53, peer }, newId),
    ruleOf(db, { ...ssh, isEgress: true, peer: { kind: 'ipv6', cidr: '::/0' } }, newId),
    ruleOf(db, { ...ssh, protocol: '-1', fromPort: -1, toPort: -1, peer }, newId),
  ]
  await insertRules(tx, rules)
  for (const [number, name] of ['one', 'two'].entries()) {
    const id = newId('key-pair')
    const key = { type: 'ed25519', publicKey: 'ssh-ed25519 AAAA', createdAt: now } as const
    await insertKeyPair(tx, { ...owner, ...key, id, name, fingerprint: `${number}:f` })
    await tag(tx, 'key-pair', id, name)
  }
  await tag(tx, 'vpc', other.id, 'other')
  await tag(tx, 'subnet', subnet.id, 'other')
  await tag(tx, 'security-group', web.id, 'web')
  await tag(tx, 'security-group-rule', rules[0]?.id ?? '', 'web')
}

type Tagged = Parameters<typeof putTags>[1]['resourceType']
const tag = (tx: Tx, resourceType: Tagged, resourceId: string, value: string) =>
  putTags(tx, { ...owner, resourceType, resourceId, tags: [{ key: 'a', value }] })

async function fillInstances(): Promise<void> {
  const subnets = await listSubnets(db.reads, owner)
  const [first, second] = [
    subnets.find((one) => one.isDefault),
    subnets.find((one) => !one.isDefault),
  ]
  assert(first && second)
  const metadataOptions = {
    httpTokens: 'required',
    httpEndpoint: 'disabled',
    httpPutResponseHopLimit: 2,
    httpProtocolIpv6: 'enabled',
    instanceMetadataTags: 'enabled',
  } as const
  const together = newId('reservation')
  const changes: readonly Partial<Instance>[] = [
    {
      keyName: 'one',
      clientToken: 'a token',
      tpmSupport: 'v2.0',
      platform: 'windows',
      platformDetails: 'Windows',
      usageOperation: 'RunInstances:0002',
      isMonitored: true,
      hasSourceDestCheck: false,
      launchedAt: now,
      reservationId: together,
    },
    {
      state: 'stopped',
      cause: userInitiated(now),
      instanceType: 'm5.large',
      isEbsOptimized: true,
      metadataOptions,
    },
    { state: 'pending', launchIndex: 1, reservationId: together, bootMode: undefined },
    { state: 'shutting-down', architecture: 'arm64', rootDeviceName: '/dev/sda1' },
    { state: 'terminated', cause: userInitiated(now) },
  ]
  for (const [number, change] of changes.entries()) {
    const { vpcId, id: subnetId, availabilityZone } = number % 2 === 0 ? first : second
    const place = { vpcId, subnetId, availabilityZone }
    const imageId = newId('image')
    const instance = await putInstance(db, owner, { imageId, ...place, ...change })
    await transaction(db.writes, async (tx) => {
      await tag(tx, 'instance', instance.id, `number ${number}`)
      if (number > 1) return
      const profileArn = `arn:aws:iam::${accountId}:instance-profile/of/builders-${number}`
      const profile = { profileId: `AIPA${number}`, profileArn, madeAt: now }
      const id = newId('instance-profile-association')
      await insertAssociation(tx, { ...owner, ...profile, id, instanceId: instance.id })
    })
    if (instance.state === 'terminated') continue
    await transaction(db.writes, async (tx) => {
      const made = await createInterface(
        { tx, now, newId, caller: callerIn(accountId), region },
        {
          subnetId,
          groupNames: number % 2 === 0 ? ['web', 'default'] : ['db'],
          description: `of ${number}`,
          instanceId: instance.id,
          deviceIndex: 0,
          deleteOnTermination: number % 2 === 0,
        },
      )
      await tag(tx, 'network-interface', made.id, `of ${number}`)
      if (number > 0) return
      const free = { groupIds: [], publicIp: undefined, attachment: undefined }
      const other = { id: newId('network-interface'), privateIp: '172.31.9.9' }
      await insertInterface(tx, { ...made, ...other, ...free, mac: '02:00:00:00:00:01' })
    })
  }
}

async function answer(action: string, filters: readonly Filter[]): Promise<Output> {
  const input = {
    Filters: filters,
    ...(action === 'DescribeInstanceStatus' && { IncludeAllInstances: true }),
  }
  const context = { caller: callerIn(accountId), region, regions: [region, 'eu-west-1'], now }
  const call = { ...context, input, db: db.reads, requestId: '', readers: {} }
  return (await actions.get(`ec2:${action}`)?.run(call as never)) as Output
}

/** What a list shows, each with what other lists show of its parts. */
async function list(action: string, ...filters: readonly Filter[]): Promise<List> {
  const shown = await answer(action, filters)
  if (action === 'DescribeInstances') {
    const nics = (await answer('DescribeNetworkInterfaces', [])) as DescribeNetworkInterfacesResult
    const { Reservations = [] } = shown as DescribeInstancesResult
    const instances = Reservations.flatMap(({ Instances = [], ...reservation }) =>
      Instances.map((instance) => ({
        ...reservation,
        ...instance,
        IamInstanceProfile: {
          ...instance.IamInstanceProfile,
          Name: instance.IamInstanceProfile?.Arn?.split('/').at(-1),
        },
        NetworkInterfaces: nics.NetworkInterfaces?.filter(
          ({ Attachment }) => Attachment?.InstanceId === instance.InstanceId,
        ),
      })),
    )
    // The order of reservations is that of the first instance that is shown of each.
    return instances.toSorted((a, b) => ((a.InstanceId ?? '') < (b.InstanceId ?? '') ? -1 : 1))
  }
  if (action !== 'DescribeSecurityGroups') return shown[expectations[action]?.list ?? ''] as List
  const all = (await answer(action, [])) as DescribeSecurityGroupsResult
  const names = new Map(all.SecurityGroups?.map(({ GroupId, GroupName }) => [GroupId, GroupName]))
  return JSON.parse(JSON.stringify(shown['SecurityGroups']), (key, value: unknown) =>
    key === 'UserIdGroupPairs'
      ? (value as Output[]).map((pair) => ({
          ...pair,
          GroupName: names.get(String(pair['GroupId'])),
        }))
      : value,
  ) as List
}

const plain = (text: string) => text.replaceAll('-', '').toLowerCase()

/** The texts in the field of an answer that a path as `block-device-mapping.status` names. */
function textsAt(output: unknown, path: string): readonly string[] {
  let found = [output]
  for (const part of path.split('.').map(plain)) {
    const fits = (key: string) => ['', 's', 'es', 'set'].some((end) => plain(key) === part + end)
    found = found
      .flatMap((one) => Object.entries(one ?? {}).filter(([key]) => fits(key)))
      .flatMap(([, value]) => value as unknown)
  }
  return found
    .map((value) => (value instanceof Date ? value.toISOString() : value))
    .filter((value) => value !== undefined && value !== '' && typeof value !== 'object')
    .map(String)
}

/** The field that a filter is about: the longest name in `at` that it begins with is another. */
function pathOf(name: string, at: Readonly<Record<string, string>> = {}): string {
  const parts = name.split('.')
  for (let count = parts.length; count > 0; count--) {
    const found = at[parts.slice(0, count).join('.')]
    if (found !== undefined) return [found, ...parts.slice(count)].join('.')
  }
  return name
}

const tagNames = ['tag:a', 'tag-key']
const isRefusal = { code: 'InvalidParameterValue', message: /^The filter '.*' is invalid$/ }

test('every filter that the SDK documents is taken, and a name that it does not know refused', async () => {
  const documented = new Map(
    [...actions.values()]
      .filter(({ service = 'ec2' }) => service === 'ec2')
      .map(({ action }) => [action, documentedFilters(action)] as const)
      .filter(([, names]) => names.length > 0),
  )
  assert(documented.size >= 29, `${documented.size}`)
  const all = new Set([...documented.values()].flat().filter((name) => !tagNames.includes(name)))
  const lacking: string[] = []
  for (const [action, names] of documented) {
    const isTaken = async (Name: string) => {
      const Values = ['x']
      return await answer(action, [{ Name, Values }]).then(
        () => true,
        ({ message }: Error) => !message.endsWith('is invalid'),
      )
    }
    for (const name of names) {
      if (!(await isTaken(name))) lacking.push(`${action}: ${name}`)
    }
    await assert.rejects(answer(action, [{ Name: 'colour', Values: ['red'] }]), isRefusal)
    const expected = expectations[action]
    if (!expected) continue
    const others = all.difference(new Set([...names, ...(expected.also ?? [])]))
    const isTagged = names.some((name) => tagNames.includes(name))
    for (const Name of [...others, ...(isTagged ? [] : tagNames)]) {
      await assert.rejects(
        answer(action, [{ Name, Values: ['x'] }]),
        isRefusal,
        `${action}: ${Name}`,
      )
    }
  }
  assert.deepEqual(lacking, [])
})

for (const [action, { at, also = [], never = /^$/ }] of Object.entries(expectations)) {
  test(`${action} finds by each filter what shows its value`, async () => {
    const shown = await list(action)
    for (const name of [...documentedFilters(action), ...also]) {
      const path = pathOf(name, { 'tag-key': 'tag.key', 'tag:a': 'tag.value', ...at })
      const texts = new Set(shown.flatMap((one) => textsAt(one, path)))
      assert.equal(texts.size > 0, !never.test(name), `${name}: ${[...texts].join(' ')}`)
      for (const text of ['none', ...[...texts].slice(0, 6)]) {
        const Values = [text.replaceAll(/[*?\\]/g, String.raw`\$&`)]
        assert.deepEqual(
          await list(action, { Name: name, Values }),
          shown.filter((one) => textsAt(one, path).includes(text)),
          `${name}: ${text}`,
        )
      }
      assert.deepEqual(
        await list(action, { Name: name, Values: ['?*'] }),
        shown.filter((one) => textsAt(one, path).length > 0),
        `${name}: ?*`,
      )
    }
  })
}
