/** Images are stored as objects in buckets and restored from them, through a real client. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  AttachImageWatermarkCommand,
  CreateRestoreImageTaskCommand,
  type CreateRestoreImageTaskCommandInput,
  CreateStoreImageTaskCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeStoreImageTasksCommand,
  type DescribeStoreImageTasksCommandInput,
  DisableImageBlockPublicAccessCommand,
  DisableImageCommand,
  type EC2Client,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  waitUntilStoreImageTaskComplete,
} from '@aws-sdk/client-ec2'
import { callImago } from '../src/cli/imago-client.ts'
import { Buckets } from '../src/buckets/buckets.ts'
import { transaction } from '../src/db/database.ts'
import { encodeUefiData } from '../src/qemu/uefi-data.ts'
import { insertRule } from '../src/recycle-bin/store.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { insertRestore } from '../src/stored-images/store.ts'
import { readHead } from '../src/stored-images/stored-object.ts'
import { registerBlank } from './blank-image.ts'
import { putImage, snapshotRow } from './rows.ts'
import { accountId, region, startSystem, type TestSystem } from './system.ts'

const uefiData = encodeUefiData([], undefined)
const west = 'us-west-2'
const other = '222222222222'
const Bucket = 'images'

/** An image of a disk with something on it. */
async function importImage(system: TestSystem): Promise<string> {
  const source = join(system.dataFolder, 'disk.raw')
  const disk = Buffer.concat([randomBytes(1_300_000), Buffer.alloc(2_000_000), randomBytes(700)])
  await writeFile(source, Buffer.concat([disk, Buffer.alloc(512 - (disk.length % 512))]))
  const access = { endpoint: system.endpoint, region, key: system.imago.rootKey }
  const body = { source, name: 'imported', bootMode: 'uefi' }
  const { importId } = await callImago(access, 'POST', '/imago/v1/imports', body)
  return await system.until('the import', async () => {
    const found = await callImago(access, 'GET', `/imago/v1/imports/${String(importId)}`)
    assert.notEqual(found['state'], 'error', String(found['message']))
    return found['state'] === 'completed' && String(found['imageId'])
  })
}

const bucketFolder = (dataFolder: string, where = region, account = accountId) =>
  join(dataFolder, 'buckets', account, where, Bucket)

const describe = async (client: EC2Client, id: string) =>
  (await client.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0]

const tasks = async (client: EC2Client, input: DescribeStoreImageTasksCommandInput = {}) =>
  (await client.send(new DescribeStoreImageTasksCommand(input))).StoreImageTaskResults ?? []

const store = async (client: EC2Client, ImageId: string, bucket = Bucket) =>
  (await client.send(new CreateStoreImageTaskCommand({ ImageId, Bucket: bucket }))).ObjectKey

async function start(context: TestContext) {
  const system = await startSystem(context)
  const { ec2, dataFolder } = system
  for (const where of [region, west])
    await mkdir(bucketFolder(dataFolder, where), { recursive: true })
  const imported = await importImage(system)
  const snapshotId = (await describe(ec2, imported))?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId
  assert(snapshotId)
  const imageId = await registerBlank(system, snapshotId, {
    Name: 'web',
    Description: 'what is stored',
    EnaSupport: true,
    BootMode: 'uefi',
    TpmSupport: 'v2.0',
    UefiData: uefiData,
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshotId, VolumeSize: 2 } },
      { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 10, VolumeType: 'gp3', Iops: 4000 } },
    ],
  })
  const manifest = async (where: string, id: string) => {
    const access = { endpoint: system.endpoint, region: where, key: system.imago.rootKey }
    return (await callImago(access, 'GET', `/imago/v1/snapshots/${id}`))['manifest']
  }
  const inWest = system.clientWith({ region: west })
  const restore = async (
    input: Partial<CreateRestoreImageTaskCommandInput> = {},
    client = inWest,
  ) => {
    const usual = { Bucket, ObjectKey: `${imageId}.bin` }
    const sent = await client.send(new CreateRestoreImageTaskCommand({ ...usual, ...input }))
    assert(sent.ImageId)
    return sent.ImageId
  }
  const done = (client: EC2Client, id: string) =>
    system.until('the image', async () => {
      const image = await describe(client, id)
      return image?.State !== 'pending' && image
    })
  const stored = async (client: EC2Client, ImageId: string) =>
    await system.until('the task', async () => {
      const found = await tasks(client, { ImageIds: [ImageId] })
      return found.at(-1)?.StoreTaskState !== 'InProgress' && found.at(-1)
    })
  const here = join(bucketFolder(dataFolder), `${imageId}.bin`)
  const there = join(bucketFolder(dataFolder, west), `${imageId}.bin`)
  return { ...system, inWest, snapshotId, imageId, manifest, restore, done, stored, here, there }
}

test('an image is stored in a bucket, and restored from it in another Region', async (context) => {
  const system = await start(context)
  const { ec2, inWest, imageId, snapshotId, manifest, restore, done, here, there } = system
  const tag = (id: string, Key: string, Value: string) =>
    ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key, Value }] }))
  await tag(imageId, 'stage', 'gold')
  await tag(imageId, 'team', 'a')
  await tag(snapshotId, 'of', 'a disk')
  const watermark = { ImageId: imageId, WatermarkName: 'approved' }
  await ec2.send(new AttachImageWatermarkCommand(watermark))

  assert.equal(await store(ec2, imageId), `${imageId}.bin`)
  const waiting = { client: ec2, maxWaitTime: 60, minDelay: 0.05, maxDelay: 0.1 }
  await waitUntilStoreImageTaskComplete(waiting as never, { ImageIds: [imageId] })
  const [task] = await tasks(ec2)
  assert.deepEqual(
    { ...task, TaskStartTime: undefined },
    {
      AmiId: imageId,
      Bucket,
      S3objectKey: `${imageId}.bin`,
      ProgressPercentage: 100,
      StoreTaskState: 'Completed',
      TaskStartTime: undefined,
    },
  )
  assert(Math.abs((task?.TaskStartTime?.getTime() ?? 0) - Date.now()) < 60_000)
  assert.deepEqual(await readdir(dirname(here)), [`${imageId}.bin`])
  await assert.rejects(store(ec2, imageId), { name: 'InvalidRequest', message: /has the image/ })
  await assert.rejects(restore(), { name: 'NoSuchKey' })

  await copyFile(here, there)
  const TagSpecifications = [
    { ResourceType: 'image' as const, Tags: [{ Key: 'stage', Value: 'new' }] },
    { ResourceType: 'snapshot' as const, Tags: [{ Key: 'from', Value: 'a bucket' }] },
  ]
  const id = await restore({ TagSpecifications })
  assert.equal((await done(inWest, id)).State, 'available')
  const [before, after] = [await describe(ec2, imageId), await describe(inWest, id)]
  assert(before && after)
  assert.notEqual(after.ImageId, imageId)
  for (const name of [
    'Name',
    'Description',
    'Architecture',
    'BootMode',
    'TpmSupport',
    'EnaSupport',
    'RootDeviceName',
    'RootDeviceType',
    'PlatformDetails',
    'UsageOperation',
    'VirtualizationType',
    'OwnerId',
  ] as const) {
    assert.equal(after[name], before[name], name)
  }
  assert.deepEqual([after.SourceImageId, after.SourceImageRegion], [imageId, region])
  assert.deepEqual(
    after.ImageWatermarks?.map(({ WatermarkKey }) => WatermarkKey),
    [`${accountId}:approved`],
  )
  assert.deepEqual(after.Tags, [
    { Key: 'stage', Value: 'new' },
    { Key: 'team', Value: 'a' },
  ])
  const attribute = { ImageId: id, Attribute: 'uefiData' as const }
  const { UefiData } = await inWest.send(new DescribeImageAttributeCommand(attribute))
  assert.equal(UefiData?.Value, uefiData)
  const restored = after.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
  assert.notEqual(restored, snapshotId)
  const withoutId = (image: typeof after) =>
    image.BlockDeviceMappings?.map(({ DeviceName, Ebs }) => [
      DeviceName,
      { ...Ebs, SnapshotId: undefined },
    ])
  assert.deepEqual(withoutId(after), withoutId(before))
  assert.equal(await manifest(west, restored), await manifest(region, snapshotId))
  const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [restored] })
  const snapshot = (await inWest.send(wanted)).Snapshots?.[0]
  assert.deepEqual(
    [snapshot?.State, snapshot?.Progress, snapshot?.Tags],
    [
      'completed',
      '100%',
      [
        { Key: 'from', Value: 'a bucket' },
        { Key: 'of', Value: 'a disk' },
      ],
    ],
  )
  await assert.rejects(restore(), {
    name: 'InvalidAMIName.Duplicate',
    message: `AMI name web is already in use by AMI ${id}`,
  })
  assert.equal((await done(inWest, await restore({ Name: 'another' }))).State, 'available')
  assert.deepEqual(await system.db.reads.selectFrom('image_restores').selectAll().execute(), [])
})

test('a stored image is what is left when all else is gone, unless it is damaged', async (context) => {
  const system = await start(context)
  const { ec2, inWest, imageId, snapshotId, restore, stored, done, here, there } = system
  await store(ec2, imageId)
  assert.equal((await stored(ec2, imageId)).StoreTaskState, 'Completed')
  const whole = await readFile(here)
  for (const [position, damage] of [
    (bytes: Buffer) => bytes.fill(0x55, bytes.length - 5000, bytes.length - 4000),
    (bytes: Buffer) => bytes.subarray(0, bytes.length - 3000),
  ].entries()) {
    await writeFile(there, damage(Buffer.from(whole)))
    const image = await done(inWest, await restore({ Name: `damaged ${position}` }))
    assert.equal(image.State, 'failed')
    assert.equal(image.StateReason?.Code, 'Client.InvalidStoredImage')
    assert.match(
      image.StateReason?.Message ?? '',
      /^Client.InvalidStoredImage: The object is not a whole stored image: (block .* is damaged|it ends too soon)$/,
    )
    const SnapshotId = image.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
    assert.equal((await inWest.send(wanted)).Snapshots?.[0]?.State, 'error')
  }
  for (const bytes of [Buffer.from('no image'), whole.subarray(0, 100), Buffer.alloc(0)]) {
    await writeFile(there, bytes)
    await assert.rejects(restore(), { name: 'InvalidRequest', message: /not a whole stored image/ })
  }
  // An image that is given up while it is restored takes the work along.
  await writeFile(there, whole)
  const given = await restore({ Name: 'given up' })
  await inWest.send(new DeregisterImageCommand({ ImageId: given }))
  await system.until('the end of it', async () => {
    const rows = await system.db.reads.selectFrom('image_restores').selectAll().execute()
    return rows.length === 0
  })
  await ec2.send(new DeregisterImageCommand({ ImageId: imageId }))
  const [imported] = (await ec2.send(new DescribeImagesCommand({ Owners: ['self'] }))).Images ?? []
  await ec2.send(new DeregisterImageCommand({ ImageId: imported?.ImageId ?? '' }))
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }))
  assert.equal((await done(inWest, await restore())).State, 'available')
})

test('tasks are listed by image, bucket and state, in pages', async (context) => {
  const system = await startSystem(context)
  const { ec2, db, dataFolder } = system
  const owner = { accountId, region }
  const images: string[] = []
  for (const name of ['one', 'two', 'three']) images.push((await putImage(db, owner, { name })).id)
  const [first = '', second = ''] = images
  for (const bucket of ['images', 'archive']) {
    await mkdir(join(dataFolder, 'buckets', accountId, region, bucket), { recursive: true })
  }
  // The disks of these images are nowhere: so each task fails.
  for (const id of images) await store(ec2, id)
  await store(ec2, first, 'archive')
  const all = await system.until('the tasks', async () => {
    const found = await tasks(ec2)
    return found.every(({ StoreTaskState }) => StoreTaskState === 'Failed') && found
  })
  assert.deepEqual(
    all.map(({ AmiId, Bucket: bucket }) => [AmiId, bucket]),
    [...images.map((id) => [id, 'images']), [first, 'archive']],
  )
  assert.match(all[0]?.StoreTaskFailureReason ?? '', /There is no manifest/)
  const filter = (Name: string, ...Values: string[]) => ({ Filters: [{ Name, Values }] })
  assert.equal((await tasks(ec2, filter('bucket', 'archive'))).length, 1)
  assert.equal((await tasks(ec2, filter('task-state', 'Completed', 'InProgress'))).length, 0)
  assert.equal((await tasks(ec2, filter('task-state', 'Failed'))).length, 4)
  const named = { ImageIds: [first, second], ...filter('bucket', 'archive') }
  assert.equal((await tasks(ec2, named)).length, 3)
  await assert.rejects(tasks(ec2, filter('state', 'Failed')), { name: 'InvalidParameterValue' })
  await assert.rejects(tasks(ec2, { ImageIds: [first], MaxResults: 5 }), {
    name: 'InvalidParameterCombination',
  })
  await assert.rejects(tasks(ec2, { ImageIds: ['web'] }), { name: 'InvalidAMIID.Malformed' })
  const page = await ec2.send(new DescribeStoreImageTasksCommand({ MaxResults: 3 }))
  assert.equal(page.StoreImageTaskResults?.length, 3)
  const NextToken = page.NextToken ?? ''
  assert.equal((await tasks(ec2, { MaxResults: 3, NextToken })).length, 1)
  assert.deepEqual(await tasks(await system.client(other)), [])

  const old = Date.now() - 31 * 24 * 60 * 60 * 1000
  await db.writes
    .updateTable('image_store_tasks')
    .set({ started_at_ms: old })
    .where('image_id', '=', second as never)
    .execute()
  system.imago.loop.wake()
  assert.deepEqual(await tasks(ec2, { ImageIds: [second] }), [])
  await system.until('the old task to be forgotten', async () => {
    const rows = await db.reads.selectFrom('image_store_tasks').selectAll().execute()
    return rows.length === 3
  })
})

test('an image is stored by its owner, or by who was given it by name', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { ec2, db, dataFolder } = system
  const owner = { accountId, region }
  const { id: imageId, blockDevices } = await putImage(db, owner, { name: 'web' })
  const snapshotId = blockDevices[0]?.ebs?.snapshotId
  const sharee = await system.client(other)
  const refused = async (client: EC2Client, id: string, name: string, bucket = Bucket) =>
    await assert.rejects(store(client, id, bucket), { name })
  await refused(ec2, imageId, 'NoSuchBucket')
  for (const account of [accountId, other]) {
    await mkdir(bucketFolder(dataFolder, region, account), { recursive: true })
  }
  for (const bucket of ['not-there', '../images', 'Images', 'a..b']) {
    await refused(ec2, imageId, 'NoSuchBucket', bucket)
  }
  await refused(ec2, 'web', 'InvalidAMIID.Malformed')
  await refused(sharee, imageId, 'InvalidAMIID.NotFound')

  await ec2.send(new DisableImageBlockPublicAccessCommand({}))
  const share = (LaunchPermission: object) =>
    ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission }))
  const shareSnapshot = (Add: object[]) =>
    ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: snapshotId,
        CreateVolumePermission: { Add },
      }),
    )
  await share({ Add: [{ Group: 'all' }] })
  await shareSnapshot([{ UserId: other }])
  await refused(sharee, imageId, 'AuthFailure')
  await share({ Add: [{ UserId: other }] })
  assert.equal(await store(sharee, imageId), `${imageId}.bin`)
  await refused(sharee, imageId, 'InvalidRequest')
  assert.equal((await tasks(sharee)).length, 1)
  assert.equal((await tasks(ec2)).length, 0)

  const kinds: Parameters<typeof putImage>[2][] = [
    { name: 'of a store', rootDeviceType: 'instance-store' },
    { name: 'of old', virtualizationType: 'paravirtual' },
  ]
  for (const changes of kinds) {
    await refused(ec2, (await putImage(db, owner, changes)).id, 'InvalidRequest')
  }
  const blank = { sizeGiB: 1, type: 'gp2', deleteOnTermination: true }
  const many = Array.from({ length: 128 }, (_, at) => ({ deviceName: `/dev/sdb${at}`, ebs: blank }))
  const wide = await putImage(db, owner, { name: 'wide', blockDevices: [...blockDevices, ...many] })
  await assert.rejects(store(ec2, wide.id), {
    name: 'InvalidRequest',
    message: `The image ${wide.id} could not be restored: blockDevices is wrong.`,
  })
  const huge = snapshotRow(owner, { volumeSizeGiB: 5001 })
  await transaction(db.writes, (tx) => insertSnapshot(tx, huge))
  const ebs = { snapshotId: huge.id, sizeGiB: 5001, type: 'gp3', deleteOnTermination: true }
  const devices = [{ deviceName: '/dev/xvda', ebs }]
  const { id: hugeId } = await putImage(db, owner, { name: 'huge', blockDevices: devices })
  await refused(ec2, hugeId, 'InvalidRequest')
  await db.writes.updateTable('snapshots').set({ volume_size_gib: 600 }).execute()
  assert.equal(await store(ec2, hugeId), `${hugeId}.bin`)
  await refused(ec2, imageId, 'ResourceLimitExceeded')

  await ec2.send(new DisableImageCommand({ ImageId: imageId }))
  await refused(ec2, imageId, 'InvalidAMIID.Unavailable')
  const { id: binned } = await putImage(db, owner, { name: 'binned' })
  await transaction(db.writes, (tx) =>
    insertRule(tx, {
      ...owner,
      id: 'abcdefghijk',
      resourceType: 'EC2_IMAGE',
      retentionDays: 1,
      description: '',
      resourceTags: [],
      excludeResourceTags: [],
      createdAt: new Date(),
      lock: undefined,
      revision: 1,
    }),
  )
  await ec2.send(new DeregisterImageCommand({ ImageId: binned }))
  await refused(ec2, binned, 'InvalidAMIID.Unavailable')

  const statement = (actions: string[], resources: string[]) =>
    ({ effect: 'Allow', actions, resources }) as const
  const limited = await system.client('333333333333', [
    statement(['ec2:*'], ['*']),
    statement(['s3:*'], ['arn:aws:s3:::theirs/*']),
  ])
  await refused(limited, imageId, 'UnauthorizedOperation')
  const wanted = { Bucket, ObjectKey: 'a' }
  await assert.rejects(limited.send(new CreateRestoreImageTaskCommand(wanted)), {
    name: 'UnauthorizedOperation',
    message: /s3:GetObject on resource: arn:aws:s3:::images\/a because/,
  })
  for (const ObjectKey of ['../x', '/etc/passwd', 'a/../../b', '.imago-x', 'nothing']) {
    await assert.rejects(ec2.send(new CreateRestoreImageTaskCommand({ Bucket, ObjectKey })), {
      name: 'NoSuchKey',
    })
  }
})

test('a service that was killed while it stored and restored goes on where it was', async (context) => {
  const system = await start(context)
  const { ec2, imago, imageId, dataFolder, here, there, stored, restore, done, db, inWest } = system
  await store(ec2, imageId)
  await stored(ec2, imageId)
  // As if it had died between the object and the row: the object stays, untouched.
  const [task] = await db.reads.selectFrom('image_store_tasks').selectAll().execute()
  assert(task)
  const { mtimeMs, ino } = await stat(here)
  const begin = { state: 'InProgress', progress_percent: 40 } as const
  const again = async () => {
    await db.writes.updateTable('image_store_tasks').set(begin).execute()
    imago.loop.wake()
  }
  await again()
  assert.equal((await stored(ec2, imageId)).ProgressPercentage, 100)
  assert.deepEqual([(await stat(here)).mtimeMs, (await stat(here)).ino], [mtimeMs, ino])
  // As if it had died half way: what it left is written over.
  await rm(here)
  const folder = bucketFolder(dataFolder)
  await writeFile(join(folder, `.imago-${task.id}`), 'half of it')
  await again()
  assert.equal((await stored(ec2, imageId)).StoreTaskState, 'Completed')
  assert.deepEqual(await readdir(folder), [`${imageId}.bin`])
  // Somebody else's object in its place is not touched.
  await writeFile(here, 'somebody else’s')
  await again()
  const failed = await stored(ec2, imageId)
  assert.equal(failed.StoreTaskState, 'Failed')
  assert.match(failed.StoreTaskFailureReason ?? '', /has an object .* already/)
  assert.equal(await readFile(here, 'utf8'), 'somebody else’s')
  await rm(here)
  await store(ec2, imageId)
  await stored(ec2, imageId)

  await copyFile(here, there)
  const id = await restore()
  await done(inWest, id)
  // As if the blocks had been there and the row not yet.
  const device = (await describe(inWest, id))?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
  const place = { accountId, region: west, bucket: Bucket, key: `${imageId}.bin` }
  await using object = await new Buckets(join(dataFolder, 'buckets')).open(place)
  assert(object)
  const { digest } = await readHead(object)
  await transaction(db.writes, async (tx) => {
    await tx
      .updateTable('images')
      .set({ state: 'pending' })
      .where('id', '=', id as never)
      .execute()
    const undone = { state: 'pending', manifest: null, completed_at_ms: null } as const
    await tx
      .updateTable('snapshots')
      .set(undone)
      .where('id', '=', device as never)
      .execute()
    await insertRestore(tx, {
      ...place,
      imageId: id as never,
      snapshotIds: [device as never],
      descriptionDigest: digest,
      sizeGiB: 1,
    })
  })
  imago.loop.wake()
  assert.equal((await done(inWest, id)).State, 'available')
})
