/**
 * Writes `src/wire/schemas/*.json`: the shapes of every operation, taken from
 * the schemas that the AWS SDK carries, in a form that the service can load in
 * a few milliseconds. The SDK itself is never loaded by the running service.
 *
 *   node tools/generate-schemas.ts
 *
 * `rbin.json` is written by hand in the same form: the newest package of that
 * service that is to be had carries no schemas.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import * as cloudtrail from '@aws-sdk/client-cloudtrail'
import * as ebs from '@aws-sdk/client-ebs'
import * as ec2 from '@aws-sdk/client-ec2'
import * as iam from '@aws-sdk/client-iam'
import * as kms from '@aws-sdk/client-kms'
import * as organizations from '@aws-sdk/client-organizations'
import * as ssm from '@aws-sdk/client-ssm'
import * as sts from '@aws-sdk/client-sts'
import { NormalizedSchema } from '@smithy/core/schema'

/** What is known of the file that is being made. */
interface Draft {
  readonly protocol: 'ec2Query' | 'awsQuery' | 'awsJson1.1' | 'restJson1'
  /** The texts of the structures that were met, by name. */
  readonly structures: Map<string, string>
}

const sources = {
  ec2: {
    exports: ec2 as Record<string, unknown>,
    service: 'AmazonEC2',
    protocol: 'ec2Query',
    version: '2016-11-15',
    // The models lack the last slash, and AWS sends it: some clients read nothing without it.
    namespace: 'http://ec2.amazonaws.com/doc/2016-11-15/',
  },
  sts: {
    exports: sts as Record<string, unknown>,
    service: 'AWSSecurityTokenService',
    protocol: 'awsQuery',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
  },
  iam: {
    exports: iam as Record<string, unknown>,
    service: 'AWSIdentityManagementV20100508',
    protocol: 'awsQuery',
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
  },
  // The names of services that speak JSON are what their targets begin with.
  ssm: {
    exports: ssm as Record<string, unknown>,
    service: 'AmazonSSM',
    protocol: 'awsJson1.1',
    version: '2014-11-06',
    namespace: '',
  },
  organizations: {
    exports: organizations as Record<string, unknown>,
    service: 'AWSOrganizationsV20161128',
    protocol: 'awsJson1.1',
    version: '2016-11-28',
    namespace: '',
  },
  cloudtrail: {
    exports: cloudtrail as Record<string, unknown>,
    service: 'CloudTrail_20131101',
    protocol: 'awsJson1.1',
    version: '2013-11-01',
    namespace: '',
  },
  kms: {
    exports: kms as Record<string, unknown>,
    service: 'TrentService',
    protocol: 'awsJson1.1',
    version: '2014-11-01',
    namespace: '',
  },
  ebs: {
    exports: ebs as Record<string, unknown>,
    service: 'Ebs',
    protocol: 'restJson1',
    version: '2019-11-02',
    namespace: '',
  },
} as const

export type Source = keyof typeof sources
export const everySource = Object.keys(sources) as readonly Source[]

/**
 * The numbers of requests that may have a fraction: the SDK knows one kind of
 * number only, and the API reference tells integers from doubles.
 */
const decimals = new Set([
  'FleetLaunchTemplateOverridesRequest.Priority',
  'FleetLaunchTemplateOverridesRequest.WeightedCapacity',
  'LaunchTemplateOverrides.Priority',
  'LaunchTemplateOverrides.WeightedCapacity',
  'MemoryGiBPerVCpu.Max',
  'MemoryGiBPerVCpu.Min',
  'MemoryGiBPerVCpuRequest.Max',
  'MemoryGiBPerVCpuRequest.Min',
  'NetworkBandwidthGbps.Max',
  'NetworkBandwidthGbps.Min',
  'NetworkBandwidthGbpsRequest.Max',
  'NetworkBandwidthGbpsRequest.Min',
  'PriceScheduleSpecification.Price',
  'ReservedInstanceLimitPrice.Amount',
  'SpotFleetLaunchSpecification.WeightedCapacity',
  'SpotFleetRequestConfigData.FulfilledCapacity',
  'SpotFleetRequestConfigData.OnDemandFulfilledCapacity',
  'TotalLocalStorageGB.Max',
  'TotalLocalStorageGB.Min',
  'TotalLocalStorageGBRequest.Max',
  'TotalLocalStorageGBRequest.Min',
])

/**
 * Where an empty value says something: the empty tag, a filter for it, an
 * attribute that is cleared, a device that is left out. Elsewhere clients send
 * empty values for what they don't mean.
 */
const meantWhenEmpty = new Set([
  'AttributeValue.Value',

  'BlockDeviceMapping.NoDevice',
  'LaunchTemplateBlockDeviceMappingRequest.NoDevice',
  'SecureBlobAttributeValue.Value',
  'Tag.Value',
])

/** The text of the schema file of one service. */
export function generate(source: Source): string {
  const { exports, ...head } = sources[source]
  const draft: Draft = { protocol: head.protocol, structures: new Map() }
  const operations = Object.entries(exports)
    .filter(([name, value]) => name.endsWith('$') && Array.isArray(value) && value[0] === 9)
    .map(([, value]) => value as unknown[])
    .map(([, , name, traits, input, output]) => {
      const shapes = [input, output].map((side) => sideName(side, draft))
      return [String(name), [...shapes, ...routeOf(traits, draft)].join(' ')] as const
    })
  if (source === 'ec2')
    for (const path of [...decimals, ...meantWhenEmpty]) checkMember(draft, path)
  const sorted = (entries: Iterable<readonly [string, string]>): Record<string, string> =>
    Object.fromEntries([...entries].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  const file = { ...head, operations: sorted(operations), structures: sorted(draft.structures) }
  return `${JSON.stringify(file, undefined, 2)}\n`
}

/** The tables above must not name what the SDK no longer has. */
function checkMember({ structures }: Draft, path: string): void {
  const [structure = '', member = ''] = path.split('.')
  const members = (structures.get(structure) ?? '').split(',')
  assert(
    members.some((text) => new RegExp(`^${member}\\b`).test(text)),
    `no such member: ${path}`,
  )
}

/** Method, path and status, where the path says which operation is meant. */
function routeOf(traits: unknown, { protocol }: Draft): readonly string[] {
  if (protocol !== 'restJson1') return []
  assert(typeof traits === 'object' && traits !== null && 'http' in traits)
  const [method, path, status] = traits.http as unknown[]
  return [method, path, status].map(String)
}

/** The name of the input or the output of an operation, `-` where it has none. */
function sideName(side: unknown, draft: Draft): string {
  const schema = NormalizedSchema.of(side as never)
  return schema.isUnitSchema() ? '-' : structureName(schema, draft)
}

function structureName(schema: NormalizedSchema, draft: Draft): string {
  const raw = schema.getSchema() as readonly unknown[]
  const name = String(raw[2])
  assert.match(name, /^[A-Z][A-Za-z0-9]*$/)
  if (draft.structures.has(name)) return name
  draft.structures.set(name, '')
  const requiredCount = Number(raw[6] ?? 0)
  const members = [...schema.structIterator()].map(([member, memberSchema], index) =>
    memberText(name, member, memberSchema, index < requiredCount, draft),
  )
  draft.structures.set(name, members.join(','))
  return name
}

/**
 * `Name<flags> type [replyName [requestName]]`: names are left out where they are
 * the usual ones. Flags: `!` required, `~` idempotency token, `*` sensitive, `=`
 * meant when empty.
 */
function memberText(
  structure: string,
  name: string,
  schema: NormalizedSchema,
  isRequired: boolean,
  draft: Draft,
): string {
  const traits = schema.getMergedTraits()
  const path = `${structure}.${name}`
  const flags =
    (isRequired ? '!' : '') +
    (traits.idempotencyToken ? '~' : '') +
    (traits.sensitive ? '*' : '') +
    (meantWhenEmpty.has(path) ? '=' : '')
  const words = [name + flags, typeText(schema, path, draft)]
  const place = placeText(name, traits)
  if (place !== undefined) return joinWords([...words, name, place])
  // JSON knows members by their own names, whatever XML would call them.
  const replyName = draft.protocol.includes('Json') ? name : (traits.xmlName ?? name)
  const usualRequestName = draft.protocol === 'ec2Query' ? capitalised(replyName) : replyName
  const requestName =
    (traits as { readonly ec2QueryName?: string }).ec2QueryName ?? usualRequestName
  const names =
    requestName !== usualRequestName
      ? [replyName, requestName]
      : replyName === name
        ? []
        : [replyName]
  return joinWords([...words, ...names])
}

function joinWords(words: readonly string[]): string {
  for (const word of words) assert.match(word, /^[^\s,.]+$/)
  return words.join(' ')
}

/** `label:SnapshotId`, `query:maxResults`, `header:x-amz-Checksum`, or `payload:` for the whole body. */
function placeText(name: string, traits: object): string | undefined {
  const { httpLabel, httpQuery, httpHeader, streaming } = traits as {
    readonly httpLabel?: unknown
    readonly httpQuery?: string
    readonly httpHeader?: string
    readonly streaming?: unknown
  }
  if (httpLabel) return `label:${name}`
  if (httpQuery !== undefined) return `query:${httpQuery}`
  if (httpHeader !== undefined) return `header:${httpHeader}`
  return streaming ? `payload:${name}` : undefined
}

const capitalised = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1)

/** `string`, `Image`, with the name of an item's element `Image[item]`, as a map `string{}`. */
function typeText(schema: NormalizedSchema, path: string, draft: Draft): string {
  if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    assert(!schema.getMergedTraits().xmlFlattened)
    return `${typeText(item, path, draft)}[${item.getMergedTraits().xmlName ?? 'member'}]`
  }
  if (schema.isMapSchema()) return `${typeText(schema.getValueSchema(), path, draft)}{}`
  if (schema.isStructSchema()) return structureName(schema, draft)
  if (schema.isBooleanSchema()) return 'boolean'
  if (schema.isNumericSchema()) return decimals.has(path) ? 'decimal' : 'integer'
  if (schema.isBlobSchema()) return 'blob'
  if (schema.isStringSchema()) return 'string'
  assert(schema.isTimestampSchema() && schema.getSchema() === 4, `no such type: ${path}`)
  return 'timestamp'
}

if (import.meta.main) {
  for (const source of everySource) {
    const file = new URL(`../src/wire/schemas/${source}.json`, import.meta.url)
    writeFileSync(file, generate(source))
  }
}
