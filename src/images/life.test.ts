/** The rules of an image's life that need no database. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Candidate, type Criterion, meetsCriteria, readCriteria } from './criterion.ts'
import { deprecationTime } from './deprecation.ts'
import { checkFilters, matchesFilters } from '../lib/filters.ts'
import { imageFilters } from './filters.ts'
import { unlived } from './image.ts'
import { readInstanceTypes, supportsType } from './instance-types.ts'
import { changeProtection, isProtected } from './protection.ts'
import { anImage } from './testing.ts'

const dayMs = 24 * 60 * 60 * 1000
const now = new Date('2026-11-23T10:00:00Z')
const yearMs = 365 * dayMs

test('a deprecation is to the minute and never far from what was asked for', () => {
  const wanted = fc.date({
    min: now,
    max: new Date(now.getTime() + 10 * yearMs),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(wanted, (date) => {
      const at = deprecationTime({ createdAt: now, isPublic: false }, date, now)
      assert.equal(at.getTime() % 60_000, 0)
      assert(Math.abs(at.getTime() - date.getTime()) <= 30_000)
    }),
  )
})

test('a protection with a cooldown holds for a day after it was left, whatever comes between', () => {
  const kinds = ['disabled', 'enabled-without-cooldown', 'enabled-with-cooldown'] as const
  const step = fc.record({ to: fc.constantFrom(...kinds), afterMs: fc.nat(2 * dayMs) })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let image: Parameters<typeof changeProtection>[0] = {
        protection: 'disabled',
        protectedUntil: undefined,
      }
      let time = now.getTime()
      let leftAt = -Infinity
      for (const { to, afterMs } of steps) {
        time += afterMs
        if (image.protection === 'enabled-with-cooldown' && to !== image.protection) leftAt = time
        image = changeProtection(image, to, new Date(time))
        const isHeld = to !== 'disabled' || time < leftAt + dayMs
        assert.equal(isProtected(image, new Date(time)), isHeld)
      }
    }),
  )
})

test('an instance type must be named, if any is, and not be left out', () => {
  const types = ['t3.nano', 't3.micro', 'c5.large']
  const patterns = fc.subarray([...types, 't3.*', '*.large', '*'])
  fc.assert(
    fc.property(patterns, patterns, fc.constantFrom(...types), (supported, others, type) => {
      const unsupported = others.filter((one) => !supported.includes(one))
      const isIn = (list: readonly string[]) =>
        list.some((pattern) =>
          new RegExp(`^${pattern.replace('.', '\\.').replace('*', '.*')}$`).test(type),
        )
      const read = readInstanceTypes({
        SupportedInstanceTypes: supported,
        UnsupportedInstanceTypes: unsupported,
      })
      const expected = (supported.length === 0 || isIn(supported)) && !isIn(unsupported)
      assert.equal(supportsType(read, type), expected)
    }),
  )
  assert.equal(readInstanceTypes({}), undefined)
  const longest = `u-${'6'.repeat(10)}.${'x'.repeat(11)}`
  const many = Array.from({ length: 100 }, (_, number) => `T${number}_a.*`)
  for (const list of [[longest], many]) {
    assert.deepEqual(readInstanceTypes({ UnsupportedInstanceTypes: list })?.unsupported, list)
  }
  for (const list of [['t3 nano'], ['t**'], [`${longest}x`], ['c5*', 'c5*'], [...many, 'c5*']]) {
    for (const side of ['SupportedInstanceTypes', 'UnsupportedInstanceTypes'] as const) {
      assert.throws(() => readInstanceTypes({ [side]: list }), { code: 'InvalidParameterValue' })
    }
  }
  assert.throws(
    () => readInstanceTypes({ SupportedInstanceTypes: ['c5*'], UnsupportedInstanceTypes: ['c5*'] }),
    { code: 'InvalidParameterValue' },
  )
})

const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs)

function candidate(
  changes: Partial<Omit<Candidate, 'image'>> & {
    readonly image?: Partial<Candidate['image']>
  } = {},
): Candidate {
  const image = { ...anImage(1), deprecatesAt: undefined, createdAt: daysAgo(5), ...changes.image }
  return { ownerAlias: 'amazon', watermarks: [], ...changes, image }
}

test('a criterion is met by all that it names, and each of its lists by one', () => {
  const watermark = {
    key: '222222222222:approved',
    sourceImageId: 'ami-00000001' as const,
    sourceImageRegion: 'us-east-1',
    sourceImageCreatedAt: daysAgo(30),
    createdAt: daysAgo(3),
  }
  const marked = candidate({ watermarks: [watermark] })
  const deprecated = candidate({ image: { deprecatesAt: daysAgo(2) } })
  const just = candidate({ image: { deprecatesAt: now } })
  const results = { scannedAtMs: daysAgo(5).getTime(), fixSinceMs: {}, counts: {} }
  const fixSinceMs = { high: daysAgo(10).getTime() }
  const scanned = candidate({ scan: { ...results, highest: 'high', fixSinceMs } })
  const sound = candidate({ scan: { ...results, highest: undefined } })
  const cases: readonly (readonly [Criterion, Candidate, boolean])[] = [
    [{ ImageProviders: ['amazon'] }, candidate(), true],
    [{ ImageProviders: ['111111111111'] }, candidate(), true],
    [{ ImageProviders: ['none'] }, candidate(), false],
    [{ ImageProviders: ['aws-marketplace', '222222222222'] }, candidate(), false],
    [{ ImageNames: ['golden-*', 'image-?'] }, candidate(), true],
    [{ ImageNames: ['IMAGE-1'] }, candidate(), false],
    [{ ImageProviders: ['amazon'], ImageNames: ['golden-*'] }, candidate(), false],
    [{ CreationDateCondition: { MaximumDaysSinceCreated: 5 } }, candidate(), true],
    [{ CreationDateCondition: { MaximumDaysSinceCreated: 4 } }, candidate(), false],
    [{ DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 0 } }, candidate(), true],
    [{ DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 0 } }, just, false],
    [{ DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 1 } }, deprecated, false],
    [{ DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 3 } }, deprecated, true],
    [{ MarketplaceProductCodes: ['abc'] }, candidate(), false],
    [{ ScanResultCondition: { MaxDaysSinceLastFindingScan: 99 } }, candidate(), false],
    [{ ScanResultCondition: { MaxDaysSinceLastFindingScan: 5 } }, scanned, true],
    [{ ScanResultCondition: { MaxDaysSinceLastFindingScan: 4 } }, scanned, false],
    [{ ScanResultCondition: { MaximumSeverityLabel: 'high' } }, scanned, true],
    [{ ScanResultCondition: { MaximumSeverityLabel: 'critical' } }, scanned, true],
    [{ ScanResultCondition: { MaximumSeverityLabel: 'medium' } }, scanned, false],
    [{ ScanResultCondition: { MaximumSeverityLabel: 'informational' } }, sound, true],
    [{ ScanResultCondition: { MaxDaysSinceHighFixAvailable: 10 } }, scanned, true],
    [{ ScanResultCondition: { MaxDaysSinceHighFixAvailable: 9 } }, scanned, false],
    [{ ScanResultCondition: { MaxDaysSinceLowFixAvailable: 0 } }, scanned, true],
    [{ ScanResultCondition: { MaxDaysSinceCriticalFixAvailable: 0 } }, sound, true],
    [
      { ScanResultCondition: { MaximumSeverityLabel: 'high', MaxDaysSinceHighFixAvailable: 9 } },
      scanned,
      false,
    ],
    [{ ImageWatermarks: [{ WatermarkKey: '2*:approved' }] }, marked, true],
    [{ ImageWatermarks: [{ WatermarkKey: '2*:approved' }] }, candidate(), false],
    [{ ImageWatermarks: [{ SourceImageRegion: 'eu-*' }] }, marked, false],
    [{ ImageWatermarks: [{ MaximumDaysSinceWatermarkCreated: 2 }] }, marked, false],
    [{ ImageWatermarks: [{ MaximumDaysSinceSourceImageCreated: 31 }] }, marked, true],
  ]
  for (const [criterion, one, isMet] of cases) {
    assert.equal(meetsCriteria([criterion], one, now), isMet, JSON.stringify(criterion))
  }
  fc.assert(
    fc.property(fc.subarray([...cases.keys()], { minLength: 1 }), (picked) => {
      const criteria = picked.flatMap((at) => cases[at]?.[0] ?? [])
      const one = candidate()
      const isMet = criteria.some((criterion) => meetsCriteria([criterion], one, now))
      assert.equal(meetsCriteria(criteria, one, now), isMet)
    }),
  )
})

test('criteria that AWS would not take are refused', () => {
  const many = Array.from({ length: 201 }, () => '111111111111')
  for (const criteria of [
    Array.from({ length: 11 }, () => ({ ImageProviders: ['amazon'] })),
    [{}],
    [{ ImageProviders: many }],
    [{ ImageProviders: ['none', 'amazon'] }],
    [{ ImageProviders: ['somebody'] }],
    [{ ImageNames: many.slice(0, 51) }],
    [{ ImageNames: ['web$'] }],
    [{ ImageNames: ['w?'] }],
    [{ ImageNames: ['x'.repeat(129)] }],
    [{ MarketplaceProductCodes: ['a b'] }],
    [{ MarketplaceProductCodes: ['a'.repeat(26)] }],
    [{ ImageWatermarks: [{ MaximumDaysSinceWatermarkCreated: -1 }] }],
    [{ ImageWatermarks: [{ MaximumDaysSinceSourceImageCreated: -1 }] }],
    [{ CreationDateCondition: { MaximumDaysSinceCreated: -1 } }],
  ]) {
    assert.throws(() => readCriteria(criteria), { code: 'InvalidParameterValue' })
  }
  const taken = [
    { ImageNames: ['*', "web (1)/[a].b-c'd@e_?*"] },
    { MarketplaceProductCodes: ['Abcdefghij0123456789abcde'] },
    { ImageWatermarks: [{ WatermarkKey: '*:golden?', MaximumDaysSinceWatermarkCreated: 0 }] },
  ]
  assert.deepEqual(readCriteria(taken), taken)
})

/** What each filter that AWS has shall find of the image below; nothing where we keep no record. */
const expected: Readonly<Record<string, string>> = {
  architecture: 'x86_64',
  'block-device-mapping.delete-on-termination': 'true',
  'block-device-mapping.device-name': '/dev/xvda',
  'block-device-mapping.encrypted': 'false',
  'block-device-mapping.snapshot-id': 'snap-00000000000000001',
  'block-device-mapping.volume-size': '2',
  'block-device-mapping.volume-type': 'gp3',
  'boot-mode': 'uefi-preferred',
  'creation-date': '2026-11-23T*',
  description: 'what it is',
  'ena-support': 'true',
  'free-tier-eligible': 'false',
  hypervisor: 'xen',
  'image-allowed': 'true',
  'image-id': 'ami-00000000000000001',
  'image-type': 'machine',
  'image-watermark.source-image-creation-time': '2026-11-23T10:00:00.000Z',
  'image-watermark.source-image-id': 'ami-00000001',
  'image-watermark.source-image-region': 'us-east-1',
  'image-watermark.watermark-creation-time': '2026-11-23T10:00:00.000Z',
  'image-watermark.watermark-key': '*:approved',
  'instance-type-specification.supported-instance-type': 't3.*',
  'instance-type-specification.unsupported-instance-type': 't3.nano',
  'is-public': 'false',
  'kernel-id': '',
  'manifest-location': '111111111111/image-1',
  name: 'image-?',
  'owner-alias': 'amazon',
  'owner-id': '111111111111',
  platform: 'windows',
  'product-code': '',
  'product-code.type': '',
  'public-ssm-parameter-name': '/aws/service/*',
  'ramdisk-id': '',
  'root-device-name': '/dev/xvda',
  'root-device-type': 'ebs',
  'scan-result.critical-fix-available-since': '2026-01-05T*',
  'scan-result.finding-scan-date': '2026-01-06T00:00:00.000Z',
  'scan-result.high-fix-available-since': '2026-01-04T*',
  'scan-result.highest-finding-severity-label': 'critical',
  'scan-result.informational-fix-available-since': '2026-01-01T*',
  'scan-result.low-fix-available-since': '2026-01-02T*',
  'scan-result.medium-fix-available-since': '2026-01-03T*',
  'source-image-id': 'ami-00000002',
  'source-image-region': 'eu-west-1',
  'source-instance-id': 'i-00000003',
  'sriov-net-support': 'simple',
  state: 'failed',
  'state-reason-code': 'Server.InternalError',
  'state-reason-message': 'because',
  'tag-key': 'colour',
  'tag:colour': 'blue',
  'virtualization-type': 'hvm',
}

test('each of the 53 filters of DescribeImages finds what it is for, and nothing else', () => {
  const image = {
    ...anImage(1, {
      createdAt: now,
      description: 'what it is',
      platform: 'windows',
      sourceImageId: 'ami-00000002',
      sourceImageRegion: 'eu-west-1',
      sourceInstanceId: 'i-00000003',
      state: 'failed',
      stateReason: { code: 'Server.InternalError', message: 'because' },
    }),
    ...unlived,
    instanceTypes: { supported: ['t3.*'], unsupported: ['t3.nano'] },
  }
  const watermark = {
    key: '111111111111:approved',
    sourceImageId: 'ami-00000001' as const,
    sourceImageRegion: 'us-east-1',
    sourceImageCreatedAt: now,
    createdAt: now,
  }
  const item = {
    image,
    ownerAlias: 'amazon',
    isAllowed: true,
    publicName: '/aws/service/imago/tiny/latest/image_id',
    watermarks: [watermark],
    scan: {
      scannedAtMs: Date.UTC(2026, 0, 6),
      highest: 'critical' as const,
      fixSinceMs: {
        informational: Date.UTC(2026, 0, 1),
        low: Date.UTC(2026, 0, 2),
        medium: Date.UTC(2026, 0, 3),
        high: Date.UTC(2026, 0, 4),
        critical: Date.UTC(2026, 0, 5),
      },
      counts: {},
    },
  }
  const tags = [{ key: 'colour', value: 'blue' }]
  const finds = (Name: string, value: string) =>
    matchesFilters(item, [{ Name, Values: ['another', value] }], imageFilters, tags)
  assert.equal(Object.keys(expected).length, 53)
  for (const [name, value] of Object.entries(expected)) {
    checkFilters([{ Name: name, Values: ['x'] }], imageFilters)
    assert.equal(finds(name, value === '' ? '*' : value), value !== '', name)
    assert.equal(finds(name, 'something else'), false, name)
  }
})
