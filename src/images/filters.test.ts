/**
 * Lists of images by every filter there is, by owners, by users and in pages, beside
 * the same filters written anew over the full list: what an answer shows is what
 * filters look at.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  DescribeImagesRequest,
  DescribeImagesResult,
  Filter,
  Image as ImageOutput,
} from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { runsOf } from '../../test/random.ts'
import { snapshotRow } from '../../test/rows.ts'
import { nextFeed } from '../advisories/feed.ts'
import { recipes } from '../catalog/recipe.ts'
import { type Connections, transaction, type Tx } from '../db/database.ts'
import { insertAccount } from '../iam/store.ts'
import { callerIn } from '../iam/testing.ts'
import { catalogImport } from '../imports/import.ts'
import { insertImport } from '../imports/store.ts'
import { digestOf } from '../lib/digest.ts'
import { organizationArn, unitArn } from '../organizations/organization.ts'
import { insertMember, insertOrganization, insertUnit } from '../organizations/store.ts'
import type { ScanResults } from '../scans/finding.ts'
import { insertScan, recordScan } from '../scans/store.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import { putTags } from '../tags/store.ts'
import { imageFilters } from './filters.ts'
import type { NewImage } from './image.ts'
import type { LaunchPermission } from './launch-permission.ts'
import { setDeprecation, setInstanceTypes } from './life-store.ts'
import { describeImages } from './operations/describe-images.ts'
import { addLaunchPermissions } from './permission-store.ts'
import { changeImageSettings } from './settings-store.ts'
import { changeImageState, findImage, insertImage } from './store.ts'
import { anImage } from './testing.ts'
import { addWatermarks } from './watermark-store.ts'

const accounts = ['111111111111', '222222222222', '333333333333', '444444444444'] as const
const [member, auditor, strict, provider] = accounts
const region = 'us-east-1'
const now = new Date('2026-11-23T10:00:00Z')
const hourMs = 60 * 60 * 1000
const organization = { id: 'o-aaaaaaaaaa', managementAccountId: provider }
const unit = 'ou-aaaa-11111111'
const publicName = '/aws/service/imago/tiny/latest/image_id'

type Look = (image: ImageOutput) => readonly (string | number | boolean | Date | undefined)[]
const ebs =
  (
    look: (ebs: NonNullable<NonNullable<ImageOutput['BlockDeviceMappings']>[0]['Ebs']>) => unknown,
  ) =>
  ({ BlockDeviceMappings = [] }: ImageOutput) =>
    BlockDeviceMappings.map(({ Ebs }) => Ebs && look(Ebs)) as ReturnType<Look>
const mark =
  (look: (mark: NonNullable<ImageOutput['ImageWatermarks']>[0]) => string | Date | undefined) =>
  ({ ImageWatermarks = [] }: ImageOutput) =>
    ImageWatermarks.map(look)
const scanned =
  (look: (scan: NonNullable<ImageOutput['ScanResults']>) => string | Date | undefined): Look =>
  ({ ScanResults }) => [ScanResults && look(ScanResults)]
const tagged =
  (key: string): Look =>
  ({ Tags = [] }) =>
    Tags.filter(({ Key }) => Key === key).map(({ Value }) => Value)

/** What each filter looks at, by what an answer shows. */
const looks: Readonly<Record<string, Look>> = {
  architecture: (image) => [image.Architecture],
  'block-device-mapping.delete-on-termination': ebs((one) => one.DeleteOnTermination),
  'block-device-mapping.device-name': (image) =>
    (image.BlockDeviceMappings ?? []).map(({ DeviceName }) => DeviceName),
  'block-device-mapping.encrypted': ebs((one) => one.Encrypted),
  'block-device-mapping.snapshot-id': ebs((one) => one.SnapshotId),
  'block-device-mapping.volume-size': ebs((one) => one.VolumeSize),
  'block-device-mapping.volume-type': ebs((one) => one.VolumeType),
  'boot-mode': (image) => [image.BootMode],
  'creation-date': (image) => [image.CreationDate],
  description: (image) => [image.Description],
  'ena-support': (image) => [image.EnaSupport],
  'free-tier-eligible': (image) => [image.FreeTierEligible],
  hypervisor: (image) => [image.Hypervisor],
  'image-allowed': (image) => [image.ImageAllowed],
  'image-id': (image) => [image.ImageId],
  'image-type': (image) => [image.ImageType],
  'image-watermark.source-image-creation-time': mark((one) => one.SourceImageCreationTime),
  'image-watermark.source-image-id': mark((one) => one.SourceImageId),
  'image-watermark.source-image-region': mark((one) => one.SourceImageRegion),
  'image-watermark.watermark-creation-time': mark((one) => one.WatermarkCreationTime),
  'image-watermark.watermark-key': mark((one) => one.WatermarkKey),
  'instance-type-specification.supported-instance-type': (image) =>
    (image.InstanceTypeSpecification?.SupportedInstanceTypes ?? []).map((one) => one.InstanceType),
  'instance-type-specification.unsupported-instance-type': (image) =>
    (image.InstanceTypeSpecification?.UnsupportedInstanceTypes ?? []).map(
      (one) => one.InstanceType,
    ),
  'is-public': (image) => [image.Public],
  'kernel-id': (image) => [image.KernelId],
  'manifest-location': (image) => [image.ImageLocation],
  name: (image) => [image.Name],
  'owner-alias': (image) => [image.ImageOwnerAlias],
  'owner-id': (image) => [image.OwnerId],
  platform: (image) => [image.Platform],
  'product-code': (image) => (image.ProductCodes ?? []).map((code) => code.ProductCodeId),
  'product-code.type': (image) => (image.ProductCodes ?? []).map((code) => code.ProductCodeType),
  'public-ssm-parameter-name': (image) => [image.PublicSsmParameterName],
  'ramdisk-id': (image) => [image.RamdiskId],
  'root-device-name': (image) => [image.RootDeviceName],
  'root-device-type': (image) => [image.RootDeviceType],
  'scan-result.critical-fix-available-since': scanned((one) => one.CriticalFixAvailableSince),
  'scan-result.finding-scan-date': scanned((one) => one.FindingScanDate),
  'scan-result.high-fix-available-since': scanned((one) => one.HighFixAvailableSince),
  'scan-result.highest-finding-severity-label': scanned((one) => one.HighestFindingSeverityLabel),
  'scan-result.informational-fix-available-since': scanned(
    (one) => one.InformationalFixAvailableSince,
  ),
  'scan-result.low-fix-available-since': scanned((one) => one.LowFixAvailableSince),
  'scan-result.medium-fix-available-since': scanned((one) => one.MediumFixAvailableSince),
  'source-image-id': (image) => [image.SourceImageId],
  'source-image-region': (image) => [image.SourceImageRegion],
  'source-instance-id': (image) => [image.SourceInstanceId],
  'sriov-net-support': (image) => [image.SriovNetSupport],
  state: (image) => [image.State],
  'state-reason-code': (image) => [image.StateReason?.Code],
  'state-reason-message': (image) => [image.StateReason?.Message],
  'tag:Team': tagged('Team'),
  'tag:team:a*b': tagged('team:a*b'),
  'tag-key': (image) => (image.Tags ?? []).map(({ Key }) => Key),
  'virtualization-type': (image) => [image.VirtualizationType],
}
const names = Object.keys(looks)

const textOf = (value: ReturnType<Look>[number]): string =>
  value instanceof Date ? value.toISOString() : String(value)

const textsOf = (image: ImageOutput, name: string): readonly string[] =>
  (looks[name]?.(image) ?? []).filter((value) => value !== undefined).map(textOf)

test('every filter of the SDK, and no other, is one that lists of images take', () => {
  const own = Object.keys(imageFilters)
  const listed = names.filter((name) => !name.startsWith('tag'))
  assert.deepEqual(own.toSorted(), listed.toSorted())
  // With `tag:<key>` and `tag-key`.
  assert.equal(own.length + 2, 53)
})

const oneOf = fc.constantFrom
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const word = oneOf('web', 'Web', 'web_1', 'webX1', "it's (a) [web] @ 1.0/2", 'w*b', 'a\\b', '')
const ebsOf = fc
  .record({
    sizeGiB: oneOf(1, 2, 20),
    type: oneOf('gp2', 'gp3', 'st1'),
    deleteOnTermination: fc.boolean(),
    snapshotId: oneOf('snap-0000000000000000a', 'snap-0000000000000000b'),
    encryption: oneOf({}, { isEncrypted: true as const }),
  })
  .map(({ encryption, ...one }) => ({ ...one, ...encryption }))
const imageOf = fc.record({
  architecture: oneOf('x86_64', 'arm64', 'i386'),
  accountId: oneOf(...accounts),
  name: word.filter((text) => /^[^*\\]+$/.test(text)),
  description: optional(word),
  createdAt: oneOf(new Date(1), new Date('2025-01-31T23:59:59.999Z'), new Date('2026-11-01')),
  rootDeviceName: oneOf('/dev/xvda', '/dev/sda1'),
  virtualizationType: oneOf('hvm', 'paravirtual'),
  platform: optional(fc.constant('windows' as const)),
  enaSupport: fc.boolean(),
  sriovNetSupport: optional(fc.constant('simple')),
  sourceInstanceId: optional(oneOf('i-0000000000000000a', 'i-0000000000000000b')),
  sourceImageId: optional(oneOf('ami-0000000000000000a', 'ami-0000000000000000b')),
  sourceImageRegion: optional(oneOf('us-east-1', 'eu-west-1')),
  stateReason: optional(oneOf({ code: 'Server.InternalError', message: 'It broke. 100%' })),
  blockDevices: fc.tuple(ebsOf, optional(ebsOf)),
  isInstanceStore: fc.boolean(),
})
const permissionOf: fc.Arbitrary<LaunchPermission> = fc.oneof(
  oneOf(...accounts).map((grantee) => ({ kind: 'user' as const, grantee })),
  fc.constant({ kind: 'group' as const, grantee: 'all' }),
  fc.constant({ kind: 'organization' as const, grantee: organizationArn(organization) }),
  fc.constant({ kind: 'organizational-unit' as const, grantee: unitArn(organization, unit) }),
)
const lifeOf = fc.record({
  permissions: fc.array(permissionOf, { maxLength: 2 }),
  state: fc.oneof(
    { weight: 5, arbitrary: fc.constant('available' as const) },
    oneOf('pending', 'failed', 'disabled', 'recycled', 'deregistered'),
  ),
  deprecatesAt: optional(oneOf(new Date(now.getTime() - hourMs), new Date(now.getTime() + hourMs))),
  watermarks: fc.uniqueArray(oneOf('111111111111:approved', '222222222222:Approved 2')),
  instanceTypes: optional(
    fc.record({
      supported: fc.subarray(['t3.*', 'c5.large']),
      unsupported: fc.subarray(['m5.*', 't3.nano']),
    }),
  ),
  tags: fc.array(
    fc.record({
      accountId: oneOf(...accounts),
      key: oneOf('Team', 'team:a*b', 'team'),
      value: word,
    }),
    { maxLength: 4 },
  ),
})

interface Facts {
  readonly permissions: readonly LaunchPermission[]
}

async function fill(db: Connections): Promise<ReadonlyMap<string, Facts>> {
  const facts = new Map<string, Facts>()
  const samples = fc.sample(fc.tuple(imageOf, lifeOf), { numRuns: 150, seed: 11 })
  await transaction(db.writes, async (tx) => {
    for (const id of accounts) {
      const alias = id === provider ? 'amazon' : undefined
      await insertAccount(tx, { id, name: `account-${id}`, alias }, now)
    }
    await insertOrganization(tx, {
      ...organization,
      rootId: 'r-aaaa',
      featureSet: 'ALL',
      createdAt: now,
    })
    const place = { organizationId: organization.id, parentId: 'r-aaaa' }
    await insertUnit(tx, { ...place, id: unit, name: 'a unit' })
    await insertMember(tx, {
      accountId: member,
      ...place,
      parentId: unit,
      name: 'a member',
      email: 'a@example.com',
      joinedMethod: 'CREATED',
      joinedAt: now,
      closure: undefined,
    })
    await putScans(tx)
    const criteria = [
      { ImageProviders: [provider] },
      { ImageNames: ['Web*'], ScanResultCondition: { MaximumSeverityLabel: 'high' as const } },
    ]
    const auditing = { allowedState: 'audit-mode', criteria } as const
    await changeImageSettings(tx, { accountId: auditor, region }, auditing)
    const strictly = { allowedState: 'enabled', criteria } as const
    await changeImageSettings(tx, { accountId: strict, region }, strictly)
    for (const [number, [image, life]] of samples.entries()) {
      const made = newImage(number, image)
      const { id } = made
      await insertImage(tx, made)
      await addLaunchPermissions(tx, id, life.permissions)
      const stored = await findImage(tx, id)
      assert(stored)
      await setDeprecation(tx, stored, life.deprecatesAt)
      if (life.instanceTypes) await setInstanceTypes(tx, stored, life.instanceTypes)
      const marks = life.watermarks.map((key) => ({
        key,
        sourceImageId: 'ami-0000000000000000c' as const,
        sourceImageRegion: key.startsWith('1') ? region : 'eu-west-1',
        sourceImageCreatedAt: image.createdAt,
        createdAt: now,
      }))
      await addWatermarks(tx, id, marks)
      for (const { accountId, key, value } of life.tags) {
        const tags = [{ key, value }]
        await putTags(tx, { accountId, region, resourceType: 'image', resourceId: id, tags })
      }
      await changeImageState(tx, {
        id,
        from: ['available'],
        to: life.state,
        at: now,
        ...(image.stateReason && { reason: image.stateReason }),
      })
      facts.set(id, life)
      const isPublic = life.permissions.some(({ kind }) => kind === 'group')
      if (life.state !== 'available' || !isPublic) continue
      // The newest of these is what the public parameter stands for.
      const random = Buffer.from([number])
      const begun = { accountId: provider, region, now, random }
      await insertImport(tx, {
        ...catalogImport(recipes.tiny, begun),
        state: 'completed',
        createdAt: new Date(now.getTime() + number),
        imageId: id,
      })
    }
  })
  return facts
}

/** One disk with findings of every kind, and one with none. */
async function putScans(tx: Tx): Promise<void> {
  const feed = (await nextFeed(tx, now)).number
  const at = now.getTime() - hourMs
  const fixSinceMs = {
    critical: at,
    high: at + 1,
    medium: at + 2,
    low: at + 3,
    informational: at + 4,
  }
  const results: readonly ScanResults[] = [
    { scannedAtMs: at, highest: 'critical', fixSinceMs, counts: {} },
    { scannedAtMs: at + 5, highest: undefined, fixSinceMs: {}, counts: {} },
  ]
  const ids = ['snap-0000000000000000a', 'snap-0000000000000000b'] as const
  for (const [index, id] of ids.entries()) {
    const manifest = digestOf(Buffer.from(id))
    await insertSnapshot(tx, snapshotRow({ accountId: provider, region }, { id, manifest }))
    await insertScan(tx, { disk: manifest, kmsKeyArn: undefined })
    const found = results[index]
    assert(found)
    const inventory = { ecosystem: 'Debian:12' as const, system: '', sources: [] }
    await recordScan(tx, manifest, { feed, inventory, findings: [], results: found })
  }
}

function newImage(
  number: number,
  sample: typeof imageOf extends fc.Arbitrary<infer T> ? T : never,
) {
  const { blockDevices, isInstanceStore, name, ...rest } = sample
  const [root, data] = blockDevices
  return anImage(number, {
    ...rest,
    name: `${name} ${number % 30 === 0 ? '' : number}`,
    rootDeviceType: isInstanceStore ? 'instance-store' : 'ebs',
    blockDevices: [
      { deviceName: sample.rootDeviceName, ebs: root },
      { deviceName: '/dev/sdb', virtualName: 'ephemeral0' },
      ...(data ? [{ deviceName: '/dev/sdc', ebs: data }] : []),
    ],
  } satisfies Partial<NewImage>)
}

/** `*` is any text, `?` any character, a backslash takes their meaning: by trying all there is. */
function fits(pattern: string, text: string): boolean {
  const [first = '', second = ''] = pattern
  if (pattern === '') return text === ''
  if (first === '*') {
    const starts = Array.from({ length: text.length + 1 }, (_, at) => text.slice(at))
    return starts.some((rest) => fits(pattern.slice(1), rest))
  }
  const isQuoted = first === '\\' && second !== ''
  const wanted = isQuoted ? second : first
  const isFit = text !== '' && ((first === '?' && !isQuoted) || wanted === text[0])
  return isFit && fits(pattern.slice(isQuoted ? 2 : 1), text.slice(1))
}

/** What is there, made a pattern of, and what is nearly there. */
const shapes: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text,
  (text) => `${text.slice(0, text.length / 2)}*`,
  (text) => `*${text.slice(text.length / 3)}`,
  (text) => text.replace(/.$/, '?'),
  (text) => text.replaceAll(/[*?\\]/g, String.raw`\$&`),
  (text) => text.toUpperCase(),
  (text) => text.replace('_', '?'),
  (text) => `${text}x`,
  () => '*',
]

function queriesOf(lists: ReadonlyMap<string, readonly ImageOutput[]>) {
  const all = [...lists.values()].flat()
  const pool = new Map(
    names.map((name) => [name, [...new Set(all.flatMap((image) => textsOf(image, name)))]]),
  )
  const filterOf = oneOf(...names).chain((Name) =>
    fc.record({
      Name: fc.constant(Name),
      Values: fc.array(
        fc
          .tuple(oneOf('true', 'none', ...(pool.get(Name) ?? [])), oneOf(...shapes))
          .map(([text, shape]) => shape(text)),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  )
  const users = (words: readonly string[]) =>
    optional(fc.uniqueArray(oneOf(...accounts, 'self', ...words), { minLength: 1, maxLength: 2 }))
  return fc.record({
    who: oneOf(...accounts),
    filters: fc.array(filterOf, { maxLength: 3 }),
    owners: users(['amazon', 'aws-marketplace']),
    executors: users(['all']),
    isDeprecatedToo: fc.boolean(),
    isDisabledToo: fc.boolean(),
    pageSize: fc.integer({ min: 5, max: 60 }),
  })
}
type Query = ReturnType<typeof queriesOf> extends fc.Arbitrary<infer T> ? T : never

/** The same from the full list, which has what the account sees in the end. */
function expectedOf(
  full: readonly ImageOutput[],
  query: Query,
  facts: ReadonlyMap<string, Facts>,
): readonly ImageOutput[] {
  const { who, filters, isDeprecatedToo, isDisabledToo } = query
  const owners = query.owners?.map((one) =>
    one === 'self' ? who : one === 'amazon' ? provider : one,
  )
  const isGiven = (image: ImageOutput, user: string) =>
    (facts.get(image.ImageId ?? '')?.permissions ?? []).some(({ kind, grantee }) => {
      if (kind === 'group') return user === 'all'
      const account = user === 'self' ? who : user
      if (kind === 'user') return grantee === account && [account, image.OwnerId].includes(who)
      return (user === 'self' || user === who) && who === member
    })
  return full.filter(
    (image) =>
      (isDisabledToo || image.State !== 'disabled') &&
      (isDeprecatedToo ||
        image.OwnerId === who ||
        image.DeprecationTime === undefined ||
        image.DeprecationTime > now.toISOString()) &&
      (owners === undefined || owners.includes(image.OwnerId ?? '')) &&
      (query.executors === undefined || query.executors.some((user) => isGiven(image, user))) &&
      filters.every(({ Name, Values }) =>
        textsOf(image, Name).some((text) => Values.some((pattern) => fits(pattern, text))),
      ),
  )
}

const asksForDisabled = ({ Name, Values }: Filter) =>
  Name === 'state' && Values?.includes('disabled') === true

for (const [database, start] of Object.entries(databases)) {
  test(`lists by any filters, owners, users and pages are those of a plain list (${database})`, async (context) => {
    const db = await start(context)
    const facts = await fill(db)
    const list = async (accountId: string, input: DescribeImagesRequest) => {
      const caller = callerIn(accountId)
      const regions = [region]
      const call = { input, caller, region, regions, requestId: '', now, readers: {} as never }
      return (await describeImages.run({ ...call, db: db.reads } as never)) as DescribeImagesResult
    }
    const lists = new Map<string, readonly ImageOutput[]>()
    for (const account of accounts) {
      const all = { IncludeDeprecated: true, IncludeDisabled: true }
      lists.set(account, (await list(account, all)).Images ?? [])
    }
    const seen = [...lists.values()].flat()
    const isShown = (name: string) => seen.some((image) => textsOf(image, name).length > 0)
    const empty = names.filter((name) => !isShown(name))
    const unknown = /^(free-tier|kernel-id|product-code|ramdisk-id)/
    assert.deepEqual(
      empty.filter((name) => !unknown.test(name)),
      [],
      'nothing to filter by',
    )
    assert(seen.some((image) => image.PublicSsmParameterName === publicName))

    await fc.assert(
      fc.asyncProperty(queriesOf(lists), async (query) => {
        const expected = expectedOf(lists.get(query.who) ?? [], query, facts)
        const input = {
          ...(query.filters.length > 0 && { Filters: query.filters }),
          Owners: query.owners,
          ExecutableUsers: query.executors,
          IncludeDeprecated: query.isDeprecatedToo,
          IncludeDisabled: query.isDisabledToo,
          MaxResults: query.pageSize,
        }
        if (!query.isDisabledToo && query.filters.some(asksForDisabled)) {
          await assert.rejects(list(query.who, input), { code: 'InvalidParameter' })
          return
        }
        const found: ImageOutput[] = []
        let NextToken: string | undefined
        do {
          const answer = await list(query.who, { ...input, NextToken })
          const { Images = [] } = answer
          assert(Images.length <= query.pageSize)
          found.push(...Images)
          NextToken = answer.NextToken
          assert(NextToken === undefined || Images.length === query.pageSize)
        } while (NextToken)
        assert.deepEqual(found, expected)
      }),
      { numRuns: runsOf(250) },
    )
  })
}
