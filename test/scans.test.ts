/** Images held against advisories, as their owners and those they are shared with see it through the SDK. */
import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  CopyImageCommand,
  CopySnapshotCommand,
  DescribeImagesCommand,
  type DescribeImagesCommandInput,
  DescribeSnapshotsCommand,
  type EC2Client,
  EnableAllowedImagesSettingsCommand,
  DisableAllowedImagesSettingsCommand,
  DisableImageBlockPublicAccessCommand,
  GetAllowedImagesSettingsCommand,
  GetImageFindingsCommand,
  type Image,
  ModifyImageAttributeCommand,
  paginateGetImageFindings,
  RegisterImageCommand,
  ReplaceImageCriteriaInAllowedImagesSettingsCommand,
  type ScanResultConditionRequest,
} from '@aws-sdk/client-ec2'
import { findFeed } from '../src/advisories/feed.ts'
import { importAdvisories, listAdvisories } from '../src/cli/commands/advisories.ts'
import { showScan } from '../src/cli/commands/scan.ts'
import { callImago } from '../src/cli/imago-client.ts'
import { noteAccess } from '../src/cli/installation.ts'
import type { Shell } from '../src/cli/shell.ts'
import { lastFirst } from './last-first.ts'
import { makeDisk, type Tree } from './made-disk.ts'
import { Secret } from '../src/lib/secret.ts'
import { debianRelease, dpkgParagraph, osvRecord, vectors } from '../src/scans/testing.ts'
import { accountId, region, startSystem, type TestSystem } from './system.ts'

const other = '222222222222'
const opened = lastFirst()
let system: TestSystem
let theirs: EC2Client
let printed: string[] = []
let golden = ''
let clean = ''

const tree: Tree = {
  'etc/os-release': debianRelease,
  'var/lib/dpkg/status': [
    dpkgParagraph('bash', '5.2.15-2+b2', 'bash (5.2.15-2)'),
    dpkgParagraph('libssl3', '3.0.11-1~deb12u2', 'openssl'),
    dpkgParagraph('openssl', '3.0.11-1~deb12u2'),
  ].join('\n'),
}

const accessOf = (key: { readonly id: string; readonly secret: Secret }) => ({
  endpoint: system.endpoint,
  region,
  key,
})

function shell(): Shell {
  return {
    environment: { IMAGO_DATA: system.dataFolder },
    folder: system.dataFolder,
    output: { write: (text: string) => printed.push(text) },
    errors: { write: () => true },
    now: () => new Date(),
  } as unknown as Shell
}

async function importDisk(name: string, content: Tree): Promise<string> {
  const { path: source } = await makeDisk(opened, content)
  const access = accessOf(system.imago.rootKey)
  const begun = await callImago(access, 'POST', '/imago/v1/imports', { source, name })
  const done = await system.until('the import', async () => {
    const now = await callImago(access, 'GET', `/imago/v1/imports/${String(begun['importId'])}`)
    return now['state'] !== 'active' && now
  })
  assert.equal(done['state'], 'completed', String(done['message']))
  return String(done['imageId'])
}

/** Brings in advisories as an operator does, and waits until all disks were held against them. */
async function bringIn(records: readonly object[]): Promise<void> {
  const folder = join(system.dataFolder, 'feed')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'all.jsonl'), records.map((one) => JSON.stringify(one)).join('\n'))
  await importAdvisories(shell(), 'feed')
  const wanted = await findFeed(system.db.reads)
  await system.until('the scans', async () => {
    const rows = await system.db.reads.selectFrom('disk_scans').select('feed').execute()
    return rows.every((row) => row.feed === wanted?.number)
  })
}

async function describe(
  client: EC2Client,
  input: DescribeImagesCommandInput = {},
): Promise<readonly Image[]> {
  return (await client.send(new DescribeImagesCommand(input))).Images ?? []
}

const filtered = async (name: string, value: string) =>
  (await describe(system.ec2, { Filters: [{ Name: `scan-result.${name}`, Values: [value] }] })).map(
    ({ ImageId = '' }) => ImageId,
  )
const scanOf = async (client: EC2Client, id: string) =>
  (await describe(client, { ImageIds: [id] }))[0]?.ScanResults
const findings = async (client: EC2Client, ImageId: string) =>
  (await client.send(new GetImageFindingsCommand({ ImageId }))).ImageFindings ?? []

before(async () => {
  system = await startSystem(opened)
  theirs = await system.client(other)
  await noteAccess(system.dataFolder, { endpoint: system.endpoint, key: system.imago.rootKey })
  golden = await importDisk('golden', tree)
  clean = await importDisk('clean', { 'srv/data': 'no system' })
})
after(opened.end)

test('an image that was not scanned has no results and no findings', async () => {
  assert.equal(await scanOf(system.ec2, golden), undefined)
  assert.deepEqual(await findings(system.ec2, golden), [])
  await listAdvisories(shell())
  await showScan(shell(), golden, {})
  assert.match(printed.join(''), /There are no advisories, so nothing is scanned/)
  assert.match(printed.join(''), /is not scanned: nothing was held against it yet/)
  const missing = new GetImageFindingsCommand({ ImageId: 'ami-0123456789abcdef0' })
  await assert.rejects(system.ec2.send(missing), { name: 'InvalidAMIID.NotFound' })
})

test('findings are told, filtered by, and travel with the disk to copies', async () => {
  printed = []
  await bringIn([
    osvRecord(1, 'openssl', { vector: vectors.critical, fixed: '3.0.14-1~deb12u2' }),
    osvRecord(2, 'openssl', { vector: vectors.low }),
    osvRecord(3, 'bash'),
    osvRecord(4, 'bash', { vector: vectors.high, fixed: '5.2.15-2' }),
    { ...osvRecord(5, 'requests'), affected: [{ package: { ecosystem: 'PyPI', name: 'x' } }] },
  ])
  assert.match(printed.join(''), /Imported 4 advisories, 1 others left out/)
  const found = await findings(system.ec2, golden)
  const [image] = await describe(system.ec2, { ImageIds: [golden] })
  const SnapshotId = image?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId
  assert.deepEqual(
    found.map(({ FirstObservedAt, UpdatedAt, ...rest }) => {
      assert.deepEqual(UpdatedAt, FirstObservedAt)
      return rest
    }),
    [
      {
        FixAvailable: true,
        Score: 9.8,
        Title: 'CVE-2026-1001 - libssl3, openssl',
        Paths: ['/var/lib/dpkg/status'],
        SeverityLabel: 'critical',
        SnapshotId,
      },
      {
        FixAvailable: false,
        Score: 3.1,
        Title: 'CVE-2026-1002 - libssl3, openssl',
        Paths: ['/var/lib/dpkg/status'],
        SeverityLabel: 'low',
        SnapshotId,
      },
      {
        FixAvailable: false,
        Title: 'CVE-2026-1003 - bash',
        Paths: ['/var/lib/dpkg/status'],
        SnapshotId,
      },
    ],
  )
  const scan = await scanOf(system.ec2, golden)
  assert.equal(scan?.HighestFindingSeverityLabel, 'critical')
  assert.deepEqual(scan?.CriticalFixAvailableSince, found[0]?.FirstObservedAt)
  assert.equal(scan?.LowFixAvailableSince, undefined)
  assert.equal(await scanOf(system.ec2, clean), undefined)
  printed = []
  await showScan(shell(), golden, { packages: true, findings: true })
  await showScan(shell(), clean, {})
  await listAdvisories(shell())
  const said = printed.join('')
  assert.match(
    said,
    /Debian GNU\/Linux 12 \(bookworm\), 3 packages: 1 critical, 1 low, 1 untriaged/,
  )
  const listed =
    /^critical +9\.8 +CVE-2026-1001 - libssl3, openssl \(fix available\)\nlow +3\.1 +CVE-2026-1002 .*\nuntriaged +CVE-2026-1003 - bash$/m
  assert.match(said, listed)
  assert.match(said, /^libssl3 3\.0\.11-1~deb12u2 openssl$/m)
  assert.match(said, /is not scanned: no operating system was found on it/)
  assert.match(said, /^Debian:12 +4 advisories/m)
  assert.match(said, /^1 disk scanned$/m)

  const paged = []
  const pages = paginateGetImageFindings({ client: system.ec2, pageSize: 1 }, { ImageId: golden })
  for await (const { ImageFindings = [] } of pages) paged.push(...ImageFindings)
  assert.deepEqual(paged, found)

  const scannedAt = scan?.FindingScanDate?.toISOString() ?? ''
  assert.deepEqual(await filtered('highest-finding-severity-label', 'crit*'), [golden])
  assert.deepEqual(await filtered('highest-finding-severity-label', 'low'), [])
  assert.deepEqual(await filtered('finding-scan-date', `${scannedAt.slice(0, 10)}*`), [golden])
  assert.deepEqual(await filtered('critical-fix-available-since', '*'), [golden])
  for (const label of ['high', 'medium', 'low', 'informational']) {
    assert.deepEqual(await filtered(`${label}-fix-available-since`, '*'), [])
  }

  // A plain copy has the very disk, in another Region too.
  const west = system.clientWith({ region: 'us-west-2' })
  const source = { SourceImageId: golden, SourceRegion: region }
  const copy = await west.send(new CopyImageCommand({ ...source, Name: 'copy' }))
  const copied = await findings(west, copy.ImageId ?? '')
  assert.deepEqual(
    copied.map(({ Title }) => Title),
    found.map(({ Title }) => Title),
  )
  assert.deepEqual(await scanOf(west, copy.ImageId ?? ''), scan)
  // What is registered of the snapshot has them at once.
  const register = async (Name: string, id = '') => {
    const { ImageId = '' } = await system.ec2.send(
      new RegisterImageCommand({
        Name,
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: id } }],
      }),
    )
    return ImageId
  }
  assert.deepEqual(await scanOf(system.ec2, await register('registered', SnapshotId)), scan)
  // Under a key it is another disk, which is read with its key.
  const sealed = await system.ec2.send(
    new CopySnapshotCommand({
      SourceSnapshotId: SnapshotId,
      SourceRegion: region,
      Encrypted: true,
    }),
  )
  const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [sealed.SnapshotId ?? ''] })
  await system.until('the snapshot', async () => {
    const { Snapshots } = await system.ec2.send(wanted)
    return Snapshots?.[0]?.State === 'completed'
  })
  const sealedId = await register('sealed', sealed.SnapshotId)
  await system.until('its scan', async () => await scanOf(system.ec2, sealedId))
  assert.equal((await findings(system.ec2, sealedId)).length, 3)
})

test('whoever may use an image sees its results, and nobody else', async () => {
  await assert.rejects(findings(theirs, golden), { name: 'InvalidAMIID.NotFound' })
  const change = async (LaunchPermission: object) =>
    await system.ec2.send(new ModifyImageAttributeCommand({ ImageId: golden, LaunchPermission }))
  await change({ Add: [{ UserId: other }] })
  assert.deepEqual(await findings(theirs, golden), await findings(system.ec2, golden))
  assert.deepEqual(await scanOf(theirs, golden), await scanOf(system.ec2, golden))
  await change({ Remove: [{ UserId: other }] })
  await assert.rejects(findings(theirs, golden), { name: 'InvalidAMIID.NotFound' })
  await system.ec2.send(new DisableImageBlockPublicAccessCommand({}))
  await change({ Add: [{ Group: 'all' }] })
  assert.equal((await findings(theirs, golden)).length, 3)
})

test('an account can allow itself only what was scanned, and came off well', async () => {
  const isAllowed = async (condition: ScanResultConditionRequest, image = golden) => {
    await theirs.send(
      new ReplaceImageCriteriaInAllowedImagesSettingsCommand({
        ImageCriteria: [{ ScanResultCondition: condition }],
      }),
    )
    const [shown] = await describe(theirs, { ImageIds: [image] })
    return shown?.ImageAllowed
  }
  const ImageId = clean
  const LaunchPermission = { Add: [{ Group: 'all' as const }] }
  await system.ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission }))
  const AllowedImagesSettingsState = 'audit-mode' as const
  await theirs.send(new EnableAllowedImagesSettingsCommand({ AllowedImagesSettingsState }))
  const condition = { MaximumSeverityLabel: 'high', MaxDaysSinceLastFindingScan: 1 } as const
  assert.equal(await isAllowed(condition), false)
  const settings = await theirs.send(new GetAllowedImagesSettingsCommand({}))
  assert.deepEqual(settings.ImageCriteria?.[0]?.ScanResultCondition, condition)
  assert.equal(await isAllowed({ MaximumSeverityLabel: 'critical' }), true)
  assert.equal(await isAllowed({ MaxDaysSinceLastFindingScan: 1 }), true)
  assert.equal(await isAllowed({ MaxDaysSinceLastFindingScan: 0 }), false)
  assert.equal(await isAllowed({ MaxDaysSinceCriticalFixAvailable: 1 }), true)
  assert.equal(await isAllowed({ MaxDaysSinceCriticalFixAvailable: 0 }), false)
  assert.equal(await isAllowed({ MaxDaysSinceHighFixAvailable: 0 }), true)
  assert.equal(await isAllowed({ MaxDaysSinceHighFixAvailable: 0 }, clean), false)
  const wrong: ScanResultConditionRequest[] = [
    { MaximumSeverityLabel: 'CRITICAL' as 'critical' },
    { MaxDaysSinceLowFixAvailable: -1 },
  ]
  for (const one of wrong) {
    await assert.rejects(isAllowed(one), { name: 'InvalidParameterValue' })
  }
  await isAllowed({ MaximumSeverityLabel: 'high' })
  await theirs.send(
    new EnableAllowedImagesSettingsCommand({ AllowedImagesSettingsState: 'enabled' }),
  )
  await assert.rejects(findings(theirs, golden), { name: 'InvalidAMIID.NotFound' })
  await theirs.send(new DisableAllowedImagesSettingsCommand({}))
  assert.equal((await findings(theirs, golden)).length, 3)
})

test('with newer advisories findings go, come, and keep since when they are known', async () => {
  const [critical] = await findings(system.ec2, golden)
  const modified = '2026-02-01T00:00:00Z'
  await bringIn([
    osvRecord(1, 'openssl', { vector: vectors.high, fixed: '3.0.14-1~deb12u2', modified }),
    osvRecord(2, 'openssl', { fixed: '3.0.11-1~deb12u2', modified }),
    osvRecord(3, 'bash', { modified, withdrawn: modified }),
    osvRecord(6, 'bash', { vector: vectors.low }),
  ])
  const found = await findings(system.ec2, golden)
  assert.deepEqual(
    found.map(({ Title, SeverityLabel }) => [Title, SeverityLabel]),
    [
      ['CVE-2026-1001 - libssl3, openssl', 'high'],
      ['CVE-2026-1006 - bash', 'low'],
    ],
  )
  assert.deepEqual(found[0]?.FirstObservedAt, critical?.FirstObservedAt)
  assert((found[0]?.UpdatedAt ?? 0) > (critical?.UpdatedAt ?? 0))
  const scan = await scanOf(system.ec2, golden)
  assert.equal(scan?.HighestFindingSeverityLabel, 'high')
  assert.equal(scan?.CriticalFixAvailableSince, undefined)
  assert.deepEqual(scan?.HighFixAvailableSince, critical?.FirstObservedAt)
})

test('only the account of the installation keeps the advisories, and refuses what are none', async () => {
  const { credentials } = await system.settingsOf(other)
  const key = { id: credentials.accessKeyId, secret: new Secret(credentials.secretAccessKey) }
  const call = async (body: object, access = accessOf(system.imago.rootKey)) =>
    await callImago(access, 'POST', '/imago/v1/advisories', body)
  const records = [osvRecord(7, 'bash')]
  await assert.rejects(call({ records }, accessOf(key)), /UnauthorizedOperation/)
  await assert.rejects(
    call({ records: [{}] }),
    /InvalidParameterValue: Record 0: a record has no id/,
  )
  await assert.rejects(call({ records: {} }), /InvalidParameterValue/)
  await assert.rejects(call({ records, isLast: 1 }), /InvalidParameterValue/)
  await assert.rejects(call({ all: true }), /UnknownParameter/)
  const list = callImago(accessOf(key), 'GET', '/imago/v1/advisories')
  await assert.rejects(list, /UnauthorizedOperation/)
  const scan = async (id: string) =>
    await callImago(accessOf(key), 'GET', `/imago/v1/images/${id}/scan`)
  assert.equal((await scan(golden))['state'], 'scanned')
  await assert.rejects(scan('ami-0123456789abcdef0'), /InvalidAMIID.NotFound/)
  await writeFile(join(system.dataFolder, 'one.json'), 'no JSON')
  await assert.rejects(importAdvisories(shell(), 'one.json'), /it is not JSON/)
  await assert.rejects(importAdvisories(shell(), 'nothing'), /Cannot read the advisories/)
  assert.equal((await findings(system.ec2, golden)).length, 2)
  assert.equal(accountId, (await describe(system.ec2, { ImageIds: [golden] }))[0]?.OwnerId)
})
