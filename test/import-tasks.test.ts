/** Disks come in from buckets and URLs as snapshots and images, through a real client. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import {
  CancelImportTaskCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DescribeImagesCommand,
  DescribeImportImageTasksCommand,
  DescribeImportSnapshotTasksCommand,
  type DescribeImportSnapshotTasksCommandInput,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EnableEbsEncryptionByDefaultCommand,
  ImportImageCommand,
  type ImportImageCommandInput,
  ImportSnapshotCommand,
  type ImportSnapshotCommandInput,
  type SnapshotDiskContainer,
  waitUntilSnapshotImported,
} from '@aws-sdk/client-ec2'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { findSnapshot } from '../src/snapshots/store.ts'
import type { Id } from '../src/lib/ids.ts'
import { allowAll, region, accountId, startSystem } from './system.ts'

const run = promisify(execFile)
const S3Bucket = 'disks'
const MiB = 1024 * 1024

async function start(context: TestContext, isIdle = false) {
  const system = await startSystem(context, { isIdle })
  const { ec2, dataFolder } = system
  const bucket = join(dataFolder, 'buckets', accountId, region, S3Bucket)
  await mkdir(bucket, { recursive: true })
  const begin = async (
    DiskContainer: SnapshotDiskContainer | undefined,
    more: Partial<ImportSnapshotCommandInput> = {},
  ) => {
    const made = await ec2.send(new ImportSnapshotCommand({ DiskContainer, ...more }))
    assert(made.ImportTaskId)
    return { ...made, ImportTaskId: made.ImportTaskId }
  }
  const describe = async (input: DescribeImportSnapshotTasksCommandInput = {}) =>
    (await ec2.send(new DescribeImportSnapshotTasksCommand(input))).ImportSnapshotTasks ?? []
  const detail = async (id: string) =>
    (await describe({ ImportTaskIds: [id] }))[0]?.SnapshotTaskDetail
  return {
    ...system,
    bucket,
    begin,
    describe,
    detail,
    /** Until the task is over, whatever became of it. */
    over: async (id: string) =>
      await system.until('the end of the task', async () => {
        const found = await detail(id)
        return found?.Status !== 'active' && found?.Status !== 'deleting' && found
      }),
    inBucket: (S3Key: string): SnapshotDiskContainer => ({ UserBucket: { S3Bucket, S3Key } }),
  }
}

/** A disk of 3 MiB with something at its beginning and at its end. */
async function writeDisk(path: string): Promise<void> {
  await writeFile(path, Buffer.concat([randomBytes(MiB), Buffer.alloc(MiB), randomBytes(MiB)]))
}

async function serve(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a disk in a bucket becomes the same snapshot in whatever format it is', async (context) => {
  const system = await start(context)
  const { ec2, db, bucket, begin, detail, over, inBucket } = system
  const raw = join(bucket, 'disk.raw')
  await writeDisk(raw)
  const formats = [
    ['RAW', 'raw'],
    ['VMDK', 'vmdk', '-o', 'subformat=streamOptimized'],
    ['VHD', 'vpc', '-o', 'force_size=on'],
    ['vhdx', 'vhdx'],
    ['QCOW2', 'qcow2', '-c'],
  ] as const
  const tags = [{ Key: 'Name', Value: 'a disk' }]
  const TagSpecifications = [{ ResourceType: 'import-snapshot-task' as const, Tags: tags }]
  const begun: string[] = []
  for (const [Format, name, ...options] of formats) {
    const to = join(bucket, `disk.${name}`)
    if (name !== 'raw') await run('qemu-img', ['convert', '-O', name, ...options, raw, to])
    const container = { ...inBucket(`disk.${name}`), Format, Description: 'from afar' }
    const more = { TagSpecifications, Description: 'my server', RoleName: 'my-role' }
    const made = await begin(container, more)
    const { SnapshotTaskDetail: told } = made
    assert.match(made.ImportTaskId, /^import-snap-[0-9a-f]{17}$/)
    assert.deepEqual([made.Description, made.Tags], ['my server', tags])
    assert.deepEqual(
      [told?.Status, told?.StatusMessage, told?.Progress, told?.Encrypted, told?.Description],
      ['active', 'pending', '0', false, 'from afar'],
    )
    assert.deepEqual(told?.UserBucket, { S3Bucket, S3Key: `disk.${name}` })
    begun.push(made.ImportTaskId)
  }
  const ids = begun.map((id) => ({ ImportTaskIds: [id] }))
  for (const input of ids)
    await waitUntilSnapshotImported(
      { client: ec2, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      input,
    )
  const manifests = new Set<string>()
  for (const id of begun) {
    const { SnapshotId = '', Progress, StatusMessage } = await over(id)
    assert.deepEqual([Progress, StatusMessage], [undefined, undefined])
    const snapshot = await findSnapshot(db.reads, SnapshotId as Id<'snapshot'>)
    assert(snapshot?.state === 'completed')
    manifests.add(snapshot.manifest)
  }
  assert.equal(manifests.size, 1)
  const [first = ''] = begun
  const { SnapshotId = '', DiskImageSize, Format } = (await detail(first)) ?? {}
  assert.deepEqual([DiskImageSize, Format], [3 * MiB, 'RAW'])
  const { Snapshots = [] } = await ec2.send(
    new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }),
  )
  const [snapshot] = Snapshots
  assert.deepEqual(
    [snapshot?.State, snapshot?.VolumeSize, snapshot?.VolumeId, snapshot?.Description],
    ['completed', 1, 'vol-ffffffff', `Created by AWS-VMImport service for ${first}`],
  )
  // It is a snapshot like any: volumes are made of it.
  const zone = `${region}a`
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({ SnapshotId, AvailabilityZone: zone }),
  )
  await system.until('the volume', async () => {
    const wanted = new DescribeVolumesCommand({ VolumeIds: [VolumeId] })
    return (await ec2.send(wanted)).Volumes?.[0]?.State === 'available'
  })
  assert.deepEqual(await readdir(join(system.dataFolder, 'import-tasks')), [])
})

test('tasks are found by id, state and tag, and are the account’s own', async (context) => {
  const system = await start(context)
  const { ec2, describe, begin, over, inBucket, bucket } = system
  await writeDisk(join(bucket, 'disk'))
  const { ImportTaskId: good } = await begin(inBucket('disk'), { ClientToken: 'one' })
  assert.equal((await begin(inBucket('disk'), { ClientToken: 'one' })).ImportTaskId, good)
  const { ImportTaskId: bad } = await begin(inBucket('nothing'))
  await over(good)
  const failed = await over(bad)
  assert.equal(
    failed.StatusMessage,
    'ClientError: Disk validation failed [We do not have access to the given resource. Reason 404 Not Found]',
  )
  await ec2.send(new CreateTagsCommand({ Resources: [bad], Tags: [{ Key: 'a', Value: 'b' }] }))
  const found = async (Name: string, ...Values: string[]) =>
    (await describe({ Filters: [{ Name, Values }] })).map(({ ImportTaskId }) => ImportTaskId)
  assert.deepEqual(await found('task-state', 'completed'), [good])
  assert.deepEqual(await found('task-state', 'deleted', 'active'), [bad])
  assert.deepEqual(await found('tag:a', 'b'), [bad])
  assert.equal((await describe()).length, 2)
  const pages = new DescribeImportSnapshotTasksCommand({ MaxResults: 5 })
  assert.equal((await ec2.send(pages)).ImportSnapshotTasks?.length, 2)
  await assert.rejects(found('colour', 'red'), { name: 'InvalidParameterValue' })
  const unknown = { name: 'InvalidConversionTaskId.Malformed' }
  await assert.rejects(describe({ ImportTaskIds: ['import-snap-0123456789abcdef0'] }), unknown)
  await assert.rejects(describe({ ImportTaskIds: ['snap-0123456789abcdef0'] }), unknown)

  const other = await system.client('222222222222')
  const theirs = await other.send(new DescribeImportSnapshotTasksCommand({}))
  assert.deepEqual(theirs.ImportSnapshotTasks, [])
  await assert.rejects(other.send(new CancelImportTaskCommand({ ImportTaskId: good })), unknown)
  // Their buckets are their own, and reading is to be allowed.
  const theirImport = new ImportSnapshotCommand({ DiskContainer: inBucket('disk') })
  await assert.rejects(other.send(theirImport), { name: 'InvalidParameter' })
  const only = { ...allowAll, actions: ['ec2:*'] }
  const poor = await system.client('222222222222', [only, only])
  await assert.rejects(poor.send(theirImport), { name: 'UnauthorizedOperation' })
})

test('a disk is fetched from a URL, and who cancels that ends it', async (context) => {
  const system = await start(context)
  const { ec2, db, begin, detail, over, bucket } = system
  const disk = randomBytes(MiB)
  let hangs = 0
  const endpoint = await serve(context, ({ url }, response) => {
    if (url === '/disk') return void response.end(disk)
    if (url !== '/slow') return void response.writeHead(403).end()
    hangs++
    response.writeHead(200, { 'content-length': 4 * MiB })
    response.write(randomBytes(MiB))
  })
  const good = await begin({ Url: `${endpoint}/disk` })
  assert.equal(good.SnapshotTaskDetail?.Url, `${endpoint}/disk`)
  assert.equal((await over(good.ImportTaskId)).Status, 'completed')
  const forbidden = await over((await begin({ Url: `${endpoint}/other` })).ImportTaskId)
  assert.match(forbidden.StatusMessage ?? '', /^ClientError: .*403/)
  await copyFile('/dev/null', join(bucket, 'x'))

  const { ImportTaskId } = await begin({ Url: `${endpoint}/slow` })
  const half = await system.until('some of it', async () => {
    const found = await detail(ImportTaskId)
    return found?.StatusMessage === 'downloading' && Number(found.Progress) > 0 && found
  })
  // A quarter of the download, which is less than a third of the whole.
  assert.equal(half.Progress, '7')
  const cancel = (id: string, CancelReason?: string) =>
    ec2.send(new CancelImportTaskCommand({ ImportTaskId: id, CancelReason }))
  const cancelled = await cancel(ImportTaskId, 'too slow')
  assert.deepEqual(
    [cancelled.ImportTaskId, cancelled.PreviousState, cancelled.State],
    [ImportTaskId, 'active', 'deleting'],
  )
  const gone = await over(ImportTaskId)
  assert.deepEqual([gone.Status, gone.SnapshotId], ['deleted', undefined])
  assert.equal(gone.StatusMessage, 'Cancelled by the user: too slow')
  assert.equal(hangs, 1)
  await system.until('the folder is empty', async () => {
    return (await readdir(join(system.dataFolder, 'import-tasks'))).length === 0
  })
  // What is over is not cancelled any more.
  await assert.rejects(cancel(ImportTaskId), { name: 'IncorrectState' })
  await assert.rejects(cancel(good.ImportTaskId), { name: 'IncorrectState' })
  await assert.rejects(cancel('import-ami-0123456789abcdef0'), {
    name: 'InvalidConversionTaskId.Malformed',
  })
  await assert.rejects(ec2.send(new CancelImportTaskCommand({})), { name: 'MissingParameter' })
  const { SnapshotId } = await over(good.ImportTaskId)
  assert(await findSnapshot(db.reads, SnapshotId as Id<'snapshot'>))
})

test('an import that was cut off begins anew, and what was left of it is removed', async (context) => {
  const first = await startSystem(context)
  const { dataFolder } = first
  const disk = randomBytes(MiB)
  let asked = 0
  const endpoint = await serve(context, (_request, response) => {
    asked++
    if (asked > 1) return void response.end(disk)
    response.writeHead(200, { 'content-length': 2 * MiB })
    response.write(disk)
  })
  const { ImportTaskId = '' } = await first.ec2.send(
    new ImportSnapshotCommand({ DiskContainer: { Url: `${endpoint}/disk` } }),
  )
  const wanted = new DescribeImportSnapshotTasksCommand({ ImportTaskIds: [ImportTaskId] })
  const detailBy = async (system: typeof first) =>
    (await system.ec2.send(wanted)).ImportSnapshotTasks?.[0]?.SnapshotTaskDetail
  await first.until('some of it', async () => Number((await detailBy(first))?.Progress) > 0)
  await first.imago.close()
  // As if it had been killed.
  const folder = join(dataFolder, 'import-tasks')
  for (const name of [ImportTaskId, 'import-snap-0123456789abcdef0']) {
    await mkdir(join(folder, name), { recursive: true })
    await writeFile(join(folder, name, 'file'), disk)
  }
  const again = await startSystem(context, { dataFolder })
  const done = await again.until('the end', async () => {
    const found = await detailBy(again)
    return found?.Status !== 'active' && found
  })
  assert.equal(done.Status, 'completed')
  assert.deepEqual(await readdir(folder), [])
  assert.equal(asked, 2)
})

test('a disk that would lead elsewhere, or is not what it is said to be, is refused', async (context) => {
  const { bucket, begin, over, inBucket, ec2 } = await start(context)
  await writeDisk(join(bucket, 'disk.raw'))
  const at = (name: string) => join(bucket, name)
  const create = (...words: string[]) => run('qemu-img', ['create', '-q', ...words])
  await create('-f', 'qcow2', '-b', '/etc/passwd', '-F', 'raw', at('backed'), '1M')
  await create('-f', 'qcow2', '-o', `data_file=${at('data')},data_file_raw=on`, at('outside'), '1M')
  await create('-f', 'vmdk', '-o', 'subformat=monolithicFlat', at('flat'), '1M')
  await create('-f', 'qcow2', at('cut'), '1G')
  await truncate(at('cut'), 60)
  await run('qemu-img', ['convert', '-O', 'qcow2', at('disk.raw'), at('half')])
  await truncate(at('half'), 2 * MiB)
  await writeFile(at('empty'), '')
  await mkdir(at('folder'))
  const refused = async (name: string, why: RegExp, more: SnapshotDiskContainer = {}) => {
    const { ImportTaskId } = await begin({ ...inBucket(name), ...more })
    const { Status, StatusMessage = '', SnapshotId } = await over(ImportTaskId)
    assert.deepEqual([Status, SnapshotId], ['deleted', undefined], name)
    assert.match(StatusMessage, /^ClientError: Disk validation failed \[.+\]$/)
    assert.match(StatusMessage, why)
    // Names of the host's files are nobody else's business.
    assert.doesNotMatch(StatusMessage, /\/etc|\/tmp/)
  }
  await refused('backed', /backing file/)
  await refused('backed', /backing file/, { Format: 'RAW' })
  await refused('outside', /another file/)
  await refused('flat', /single file/)
  await refused('cut', /version 2 or 3/)
  await refused('half', /a part of it is missing/)
  await refused('empty', /empty/)
  await refused('folder', /404/)
  await refused('disk.raw', /Unsupported VMDK File Format/, { Format: 'VMDK' })
  await refused('disk.raw', /Unsupported VHD File Format/, { Format: 'VHD' })
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  assert.deepEqual(Snapshots, [])
})

test('an import that cannot be is refused with the code that EC2 has for it', async (context) => {
  const { ec2, begin, inBucket } = await start(context, true)
  const refused = (
    container: SnapshotDiskContainer | undefined,
    name: string,
    more: Partial<ImportSnapshotCommandInput> = {},
  ) => assert.rejects(begin(container, more), { name })
  const disk = inBucket('disk')
  await refused(undefined, 'MissingParameter')
  await refused({}, 'MissingParameter')
  await refused({ UserBucket: { S3Key: 'disk' } }, 'MissingParameter')
  await refused({ UserBucket: { S3Bucket } }, 'MissingParameter')
  await refused({ ...disk, Url: 'https://example.com/disk' }, 'InvalidParameterCombination')
  await refused({ Url: 'file:///etc/passwd' }, 'InvalidParameterValue')
  await refused({ Url: 'https://' }, 'InvalidParameterValue')
  await refused({ Url: 's3://disks' }, 'InvalidParameterValue')
  await refused({ Url: 's3://nowhere/disk' }, 'InvalidParameter')
  await refused({ UserBucket: { S3Bucket, S3Key: '../disk' } }, 'InvalidParameterValue')
  await refused({ UserBucket: { S3Bucket: '..', S3Key: 'disk' } }, 'InvalidParameterValue')
  await refused({ UserBucket: { S3Bucket: 'nowhere', S3Key: 'disk' } }, 'InvalidParameter')
  await refused({ ...disk, Format: 'ISO' }, 'InvalidParameterValue')
  await refused({ ...disk, Format: 'OVA' }, 'UnsupportedOperation')
  await refused({ ...disk, Description: 'x'.repeat(256) }, 'InvalidParameterValue')
  await refused(disk, 'InvalidParameterValue', { Description: 'x'.repeat(256) })
  await refused(disk, 'InvalidParameterDependency', { KmsKeyId: 'alias/aws/ebs' })
  await refused(disk, 'InvalidParameter', { RoleName: 'no role' })
  await refused(disk, 'DryRunOperation', { DryRun: true })
  const Tags = [{ Key: 'a', Value: 'b' }]
  await refused(disk, 'InvalidParameterValue', {
    TagSpecifications: [{ ResourceType: 'snapshot', Tags }],
  })
  const image = (DiskContainers: ImportImageCommandInput['DiskContainers'], more = {}) =>
    ec2.send(new ImportImageCommand({ DiskContainers, ...more }))
  const code = (name: string) => ({ name })
  await assert.rejects(image([]), code('MissingParameter'))
  await assert.rejects(image([disk], { Architecture: 'mips' }), code('InvalidParameterValue'))
  await assert.rejects(image([disk], { BootMode: 'uefi-preferred' }), code('InvalidParameterValue'))
  await assert.rejects(image([disk], { Platform: 'BeOS' }), code('InvalidParameterValue'))
  await assert.rejects(image([disk], { Hypervisor: 'kvm' }), code('InvalidParameterValue'))
  await assert.rejects(image([disk], { LicenseType: 'GPL' }), code('InvalidParameterValue'))
  await assert.rejects(image([disk], { KmsKeyId: 'x' }), code('InvalidParameterDependency'))
  await assert.rejects(
    image([{ SnapshotId: 'snap-0123456789abcdef0' }]),
    code('InvalidSnapshot.NotFound'),
  )
  const twice = [disk, { ...disk, DeviceName: 'sda1' }]
  await assert.rejects(image(twice), code('InvalidBlockDeviceMapping.Duplicate'))
  await assert.rejects(image([{ ...disk, DeviceName: 'root' }]), code('InvalidParameterValue'))

  // As many as AWS lets be under way, and none more.
  for (let count = 0; count < 20; count++) await begin(disk)
  await refused(disk, 'ResourceLimitExceeded')
})

test('disks become an image: the first is its root', async (context) => {
  const system = await start(context)
  const { ec2, bucket, inBucket } = system
  await writeDisk(join(bucket, 'root'))
  await writeDisk(join(bucket, 'data'))
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({ Size: 2, AvailabilityZone: `${region}a` }),
  )
  await system.until('the volume', async () => {
    const wanted = new DescribeVolumesCommand({ VolumeIds: [VolumeId] })
    return (await ec2.send(wanted)).Volumes?.[0]?.State === 'available'
  })
  const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  await system.until('the snapshot', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    return (await ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
  })
  const begun = await ec2.send(
    new ImportImageCommand({
      Description: 'a server',
      Architecture: 'x86_64',
      Platform: 'Linux',
      LicenseType: 'BYOL',
      BootMode: 'uefi',
      DiskContainers: [
        { ...inBucket('root'), Format: 'raw', Description: 'boots' },
        { Url: `s3://${S3Bucket}/data`, DeviceName: '/dev/sdf' },
        { SnapshotId },
      ],
    }),
  )
  const { ImportTaskId = '' } = begun
  assert.match(ImportTaskId, /^import-ami-[0-9a-f]{17}$/)
  assert.deepEqual(
    [
      begun.Status,
      begun.Progress,
      begun.LicenseType,
      begun.Platform,
      begun.SnapshotDetails?.length,
    ],
    ['active', '0', 'BYOL', 'Linux', 3],
  )
  const done = await system.until('the image', async () => {
    const wanted = new DescribeImportImageTasksCommand({ ImportTaskIds: [ImportTaskId] })
    const [task] = (await ec2.send(wanted)).ImportImageTasks ?? []
    assert.notEqual(task?.Status, 'deleted', task?.StatusMessage ?? '')
    return task?.Status === 'completed' && task
  })
  const [root, data, copied] = done.SnapshotDetails ?? []
  assert.deepEqual([root?.Description, data?.Url], ['boots', `s3://${S3Bucket}/data`])
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ ImageIds: [done.ImageId ?? ''] }),
  )
  const [image] = Images
  assert.deepEqual(
    [image?.Name, image?.Description, image?.State, image?.BootMode, image?.RootDeviceName],
    [ImportTaskId, 'a server', 'available', 'uefi', '/dev/sda1'],
  )
  assert.deepEqual(
    image?.BlockDeviceMappings?.map(({ DeviceName, Ebs }) => [
      DeviceName,
      Ebs?.SnapshotId,
      Ebs?.VolumeSize,
    ]),
    [
      ['/dev/sda1', root?.SnapshotId, 1],
      ['/dev/sdf', data?.SnapshotId, 1],
      ['/dev/sdb', copied?.SnapshotId, 2],
    ],
  )
  // The tasks of snapshots are others.
  const { ImportSnapshotTasks } = await ec2.send(new DescribeImportSnapshotTasksCommand({}))
  assert.deepEqual(ImportSnapshotTasks, [])
})

test('what comes in is encrypted where that is asked for, or the account has it so', async (context) => {
  const system = await start(context)
  const { ec2, bucket, begin, over, inBucket } = system
  const kms = new KMSClient(system.settingsWith())
  context.after(() => kms.destroy())
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const { Arn: KmsKeyId = '' } = KeyMetadata ?? {}
  const pattern = 'A-PATTERN-THAT-NOBODY-IS-TO-FIND'
  const content = Buffer.alloc(MiB, pattern)
  await writeFile(join(bucket, 'disk'), content)
  const begun = await begin(inBucket('disk'), { Encrypted: true, KmsKeyId })
  const { Encrypted, KmsKeyId: told } = begun.SnapshotTaskDetail ?? {}
  assert.deepEqual([Encrypted, told], [true, KmsKeyId])
  const done = await over(begun.ImportTaskId)
  assert.deepEqual([done.Status, done.Encrypted, done.KmsKeyId], ['completed', true, KmsKeyId])
  const describe = async (SnapshotId = '') => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    return (await ec2.send(wanted)).Snapshots?.[0]
  }
  const snapshot = await describe(done.SnapshotId)
  assert.deepEqual([snapshot?.Encrypted, snapshot?.KmsKeyId], [true, KmsKeyId])
  // The bucket has it in plain; the store does not.
  for (const entry of await readdir(system.dataFolder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name === 'disk') continue
    const bytes = await readFile(join(entry.parentPath, entry.name))
    assert(!bytes.includes(pattern), join(entry.parentPath, entry.name))
  }

  // An image that has an encrypted disk has no plain one.
  const image = await ec2.send(
    new ImportImageCommand({
      DiskContainers: [inBucket('disk'), { SnapshotId: done.SnapshotId }],
    }),
  )
  assert.deepEqual([image.Encrypted, image.KmsKeyId], [true, KmsKeyId])
  const imported = await system.until('the image', async () => {
    const ImportTaskIds = [image.ImportTaskId ?? '']
    const wanted = new DescribeImportImageTasksCommand({ ImportTaskIds })
    const [task] = (await ec2.send(wanted)).ImportImageTasks ?? []
    assert.notEqual(task?.Status, 'deleted', task?.StatusMessage ?? '')
    return task?.Status === 'completed' && task
  })
  for (const { SnapshotId } of imported.SnapshotDetails ?? []) {
    assert.equal((await describe(SnapshotId))?.KmsKeyId, KmsKeyId)
  }
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ ImageIds: [imported.ImageId ?? ''] }),
  )
  const devices = Images[0]?.BlockDeviceMappings ?? []
  assert.deepEqual(
    devices.map(({ Ebs }) => Ebs?.Encrypted),
    [true, true],
  )

  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
  const byDefault = await over((await begin(inBucket('disk'))).ImportTaskId)
  assert.deepEqual([byDefault.Status, byDefault.Encrypted], ['completed', true])
  assert.notEqual(byDefault.KmsKeyId, KmsKeyId)

  // A key that cannot be used is found out when the call has answered.
  const none = 'alias/none'
  const failed = await over(
    (await begin(inBucket('disk'), { Encrypted: true, KmsKeyId: none })).ImportTaskId,
  )
  assert.deepEqual([failed.Status, failed.SnapshotId], ['deleted', undefined])
  assert.match(failed.StatusMessage ?? '', /^ClientError: The KMS key provided is in an incorrect/)
})
