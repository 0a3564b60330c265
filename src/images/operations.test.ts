/** The calls on images and snapshots, on a database without machines: what they record and refuse. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type {
  DeregisterImageResult,
  DescribeImagesResult,
  DescribeSnapshotsResult,
  ImageAttribute,
} from '@aws-sdk/client-ec2'
import { databases } from '../../test/databases.ts'
import { emptyReaders } from '../../test/empty-readers.ts'
import { transaction } from '../db/database.ts'
import { finishFreeze, listWantedFreezes } from '../freezes/store.ts'
import { callerIn } from '../iam/testing.ts'
import { changeInstanceState, insertInstance } from '../instances/store.ts'
import { anInstance } from '../instances/testing.ts'
import { formatId } from '../lib/ids.ts'
import { createSnapshots } from '../snapshots/operations/create-snapshots.ts'
import { deleteSnapshot } from '../snapshots/operations/delete-snapshot.ts'
import { describeSnapshots } from '../snapshots/operations/describe-snapshots.ts'
import { modifySnapshotAttribute } from '../snapshots/operations/modify-snapshot-attribute.ts'
import { completeSnapshot, failSnapshot, listPendingSnapshots } from '../snapshots/store.ts'
import { insertAttachment, insertVolume } from '../volumes/store.ts'
import { asRoot, aVolume } from '../volumes/testing.ts'
import type { Operation } from '../wire/operation.ts'
import { checkUnchanged } from './block-devices.ts'
import { createImage } from './operations/create-image.ts'
import { deregisterImage } from './operations/deregister-image.ts'
import { describeImageAttribute } from './operations/describe-image-attribute.ts'
import { describeImages } from './operations/describe-images.ts'
import { disableImageBlockPublicAccess } from './operations/disable-image-block-public-access.ts'
import { modifyImageAttribute } from './operations/modify-image-attribute.ts'
import { registerImage } from './operations/register-image.ts'
import { resetImageAttribute } from './operations/reset-image-attribute.ts'
import { imageReconciler } from './reconcile.ts'

const mine = '111111111111'
const yours = '222222222222'
const region = 'us-east-1'
const now = new Date(1_000_000)
const instance = anInstance(1)
const { id: instanceId } = instance
const root = aVolume(1, { state: 'in-use', sizeGiB: 2 })
const data = aVolume(2, { state: 'in-use', sizeGiB: 7 })

async function start(context: TestContext) {
  const db = await databases.sqlite(context)
  const host = () => ({ vcpus: 1, memoryMiB: 1, architecture: 'x86_64' }) as const
  const readers = { ...emptyReaders, host }
  const call = async (operation: Operation, input: object, accountId = mine): Promise<unknown> => {
    const caller = callerIn(accountId)
    const shared = { input, caller, region, regions: [region], requestId: '', now, readers }
    if (operation.kind === 'read') return await operation.run({ ...shared, db: db.reads })
    return await transaction(db.writes, (tx) =>
      operation.run({
        ...shared,
        tx,
        randomBytes,
        newId: (kind) => formatId(kind, randomBytes(9)),
      }),
    )
  }
  const images = imageReconciler({ db, now: () => now })
  return {
    db,
    call,
    describe: async (input: object, accountId = mine) =>
      ((await call(describeImages, input, accountId)) as DescribeImagesResult).Images ?? [],
    settleImages: async () => {
      for (const id of await images.due()) await images.step(id)
    },
    completeSnapshots: async () => {
      await transaction(db.writes, async (tx) => {
        for (const { id } of await listWantedFreezes(tx)) await finishFreeze(tx, id)
        for (const { id } of await listPendingSnapshots(tx)) {
          await completeSnapshot(tx, {
            id,
            manifest: `sha256:${'0'.repeat(64)}`,
            completedAt: now,
            parentSnapshotId: undefined,
            fullSizeBytes: 0,
            addedBytes: 0,
          })
        }
      })
      for (const id of await images.due()) await images.step(id)
    },
  }
}

/** An instance that runs, with a root disk and another. */
async function startInstance(context: TestContext) {
  const system = await start(context)
  await transaction(system.db.writes, async (tx) => {
    await insertInstance(tx, instance)
    for (const [volume, device] of [
      [data, '/dev/sdb'],
      [root, '/dev/xvda'],
    ] as const) {
      await insertVolume(tx, volume)
      const deleteOnTermination = volume === root
      await insertAttachment(tx, { ...asRoot(volume, instance), device, deleteOnTermination })
    }
  })
  return system
}

const idOf = (output: unknown): string => (output as { ImageId: string }).ImageId

test('an image of an instance is pending until all its disks are stored', async (context) => {
  const { call, describe, completeSnapshots, settleImages, db } = await startInstance(context)
  const id = idOf(
    await call(createImage, {
      InstanceId: instanceId,
      Name: 'web',
      TagSpecifications: [
        { ResourceType: 'image', Tags: [{ Key: 'a', Value: '1' }] },
        { ResourceType: 'snapshot', Tags: [{ Key: 'b', Value: '2' }] },
      ],
    }),
  )
  await settleImages()
  const [pending] = await describe({ ImageIds: [id] })
  assert.equal(pending?.State, 'pending')
  assert.equal(pending.ImageLocation, `${mine}/web`)
  assert.equal(pending.BootMode, 'uefi-preferred')
  assert.equal(pending.SourceInstanceId, instanceId)
  assert.deepEqual(pending.Tags, [{ Key: 'a', Value: '1' }])
  assert.deepEqual(
    pending.BlockDeviceMappings?.map(({ DeviceName, Ebs }) => [
      DeviceName,
      Ebs?.VolumeSize,
      Ebs?.DeleteOnTermination,
      Ebs?.Encrypted,
    ]),
    [
      ['/dev/xvda', 2, true, false],
      ['/dev/sdb', 7, false, false],
    ],
  )
  const [freeze, ...others] = await listWantedFreezes(db.reads)
  assert.equal(others.length, 0)
  assert.equal(freeze?.withReboot, true)
  const { Snapshots } = (await call(describeSnapshots, {
    Filters: [{ Name: 'tag:b', Values: ['2'] }],
  })) as DescribeSnapshotsResult
  assert.deepEqual(
    new Set(Snapshots?.map(({ Description }) => Description)),
    new Set([`Created by CreateImage(${instanceId}) for ${id}`]),
  )
  assert.equal(Snapshots?.length, 2)
  await completeSnapshots()
  assert.equal((await describe({ ImageIds: [id] }))[0]?.State, 'available')
})

test('an image has the driver of the network card where its instance has', async (context) => {
  const { call, describe, db } = await startInstance(context)
  for (const has of [0, 1] as const) {
    await db.writes.updateTable('instances').set({ ena_support: has }).execute()
    const wish = { InstanceId: instanceId, Name: `of ${has}`, NoReboot: true }
    const [image] = await describe({ ImageIds: [idOf(await call(createImage, wish))] })
    assert.equal(image?.EnaSupport, has === 1)
  }
})

test('an image fails with one of its disks, and says so', async (context) => {
  const { call, describe, settleImages, db } = await startInstance(context)
  const id = idOf(await call(createImage, { InstanceId: instanceId, Name: 'web', NoReboot: true }))
  assert.equal((await listWantedFreezes(db.reads))[0]?.withReboot, false)
  const [snapshot] = await listPendingSnapshots(db.reads)
  assert(snapshot)
  const message = 'The disk is full'
  await transaction(db.writes, (tx) => failSnapshot(tx, { id: snapshot.id, message }))
  await settleImages()
  const [image] = await describe({ ImageIds: [id] })
  assert.equal(image?.State, 'failed')
  assert.match(image.StateReason?.Message ?? '', /The disk is full/)
})

test('of an instance’s disks, an image may leave out, keep or add', async (context) => {
  const { call, describe, completeSnapshots } = await startInstance(context)
  const create = (Name: string, BlockDeviceMappings: object[]) =>
    call(createImage, { InstanceId: instanceId, Name, BlockDeviceMappings })
  const id = idOf(
    await create('without data', [
      // As clients write `NoDevice=`: nothing of it comes through.
      { DeviceName: '/dev/sdb' },
      { DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } },
      { DeviceName: '/dev/sdc', Ebs: { VolumeSize: 5 } },
      { DeviceName: '/dev/sdd', VirtualName: 'ephemeral0' },
    ]),
  )
  await completeSnapshots()
  const [image] = await describe({ ImageIds: [id] })
  const found = image?.BlockDeviceMappings ?? []
  assert.deepEqual(
    found.map(({ DeviceName, VirtualName, Ebs = {} }) => [
      DeviceName,
      VirtualName ?? [Ebs.VolumeSize, Ebs.VolumeType, Ebs.DeleteOnTermination],
      Ebs.SnapshotId !== undefined,
    ]),
    [
      ['/dev/xvda', [2, 'gp3', false], true],
      ['/dev/sdc', [5, 'gp2', false], false],
      ['/dev/sdd', 'ephemeral0', false],
    ],
  )
  for (const mapping of [
    { DeviceName: '/dev/xvda', NoDevice: 'x' },
    { DeviceName: '/dev/sdb', Ebs: { VolumeSize: 8 } },
    { DeviceName: '/dev/sdb', Ebs: { Iops: 4000 } },
    { DeviceName: '/dev/sdb', Ebs: { Throughput: 500 } },
    { DeviceName: '/dev/sdb', VirtualName: 'ephemeral0' },
    { DeviceName: '/dev/sdd', VirtualName: 'ephemeral0', Ebs: { VolumeSize: 5 } },
  ]) {
    await assert.rejects(create('bad', [mapping]), { code: 'InvalidBlockDeviceMapping' })
  }
  // What is encrypted stays so, whatever the mapping says.
  const sealed = aVolume(3, { kmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/1' })
  checkUnchanged({ DeviceName: '/dev/sdb', Ebs: { Encrypted: false } }, sealed)
  for (const ebs of [{ VolumeInitializationRate: 100 }, { AvailabilityZone: 'us-east-1a' }]) {
    const mapping = { DeviceName: '/dev/sdd', Ebs: { VolumeSize: 5, ...ebs } }
    await assert.rejects(create('bad', [mapping]), { code: 'UnsupportedOperation' })
  }
})

test('an image cannot be made of an instance that is on its way down', async (context) => {
  const { call, db } = await startInstance(context)
  await transaction(db.writes, (tx) =>
    changeInstanceState(tx, { id: instanceId, from: ['running'], to: 'stopping', at: now }),
  )
  await assert.rejects(call(createImage, { InstanceId: instanceId, Name: 'web' }), {
    code: 'InvalidParameterValue',
    message: /Instance is not in state/,
  })
})

test('an image is registered from a snapshot, shared, and deregistered with it', async (context) => {
  const { call, describe, completeSnapshots } = await startInstance(context)
  await call(createSnapshots, {
    InstanceSpecification: { InstanceId: instanceId, ExcludeDataVolumeIds: [data.id] },
  })
  const list = async (accountId?: string) => {
    const { Snapshots } = (await call(describeSnapshots, {}, accountId)) as DescribeSnapshotsResult
    return Snapshots ?? []
  }
  const [snapshot, ...others] = await list()
  assert.equal(others.length, 0)
  const SnapshotId = snapshot?.SnapshotId
  const register = (Name: string, ebs: object = {}) =>
    call(registerImage, {
      Name,
      RootDeviceName: '/dev/xvda',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId, ...ebs } }],
    })
  await assert.rejects(register('too soon'), { code: 'IncorrectState' })
  await completeSnapshots()
  await assert.rejects(register('too small', { VolumeSize: 1 }), {
    code: 'InvalidBlockDeviceMapping',
    message: `Volume of size 1GB is smaller than snapshot '${SnapshotId}', expect size >= 2GB`,
  })
  const first = idOf(await register('first'))
  const second = idOf(await register('second', { VolumeSize: 9 }))
  assert.deepEqual(
    (await describe({ Filters: [{ Name: 'name', Values: ['s*'] }] })).map(({ ImageId }) => ImageId),
    [second],
  )

  assert.deepEqual(await describe({}, yours), [])
  await assert.rejects(describe({ ImageIds: [first] }, yours), {
    code: 'InvalidAMIID.NotFound',
    message: `The image id '[${first}]' does not exist`,
  })
  await call(modifyImageAttribute, {
    ImageId: first,
    LaunchPermission: { Add: [{ UserId: yours }] },
  })
  const old = { Attribute: 'launchPermission', OperationType: 'add', UserGroups: ['all'] }
  await assert.rejects(call(modifyImageAttribute, { ImageId: second, ...old }), {
    code: 'OperationNotPermitted',
  })
  await call(disableImageBlockPublicAccess, {})
  await call(modifyImageAttribute, { ImageId: second, ...old })
  assert.equal((await describe({}, yours)).length, 2)
  assert.equal((await describe({ ExecutableUsers: ['self'] }, yours))[0]?.ImageId, first)
  assert.equal((await describe({ ExecutableUsers: [yours] }))[0]?.ImageId, first)
  const share = { LaunchPermission: { Add: [{ UserId: '333333333333' }] } }
  await call(modifyImageAttribute, { ImageId: first, ...share })
  assert.equal((await describe({ ExecutableUsers: ['333333333333'] })).length, 1)
  // With whom else it is shared only its owner finds out.
  assert.deepEqual(await describe({ ExecutableUsers: ['333333333333'] }, yours), [])
  const unshare = { LaunchPermission: { Remove: [{ UserId: '333333333333' }] } }
  await call(modifyImageAttribute, { ImageId: first, ...unshare })
  assert.equal((await describe({ ExecutableUsers: ['all'] }, yours))[0]?.Public, true)
  const permissions = async () =>
    (
      (await call(describeImageAttribute, {
        ImageId: first,
        Attribute: 'launchPermission',
      })) as ImageAttribute
    ).LaunchPermissions
  assert.deepEqual(await permissions(), [{ UserId: yours }])
  await assert.rejects(call(deregisterImage, { ImageId: first }, yours), { code: 'AuthFailure' })
  await call(resetImageAttribute, { ImageId: first, Attribute: 'launchPermission' })
  assert.deepEqual(await permissions(), [])

  await assert.rejects(call(deleteSnapshot, { SnapshotId }), {
    code: 'InvalidSnapshot.InUse',
    message: new RegExp(`^The snapshot ${SnapshotId} is currently in use by ami-`),
  })
  const deregister = async (ImageId: string) =>
    (await call(deregisterImage, {
      ImageId,
      DeleteAssociatedSnapshots: true,
    })) as DeregisterImageResult
  assert.deepEqual((await deregister(first)).DeleteSnapshotResults, [
    { SnapshotId, ReturnCode: 'skipped' },
  ])
  await assert.rejects(deregister(first), { code: 'InvalidAMIID.Unavailable' })
  assert.deepEqual((await deregister(second)).DeleteSnapshotResults, [
    { SnapshotId, ReturnCode: 'success' },
  ])
  assert.deepEqual(await list(), [])
})

test('a snapshot is shared with an account, and no more', async (context) => {
  const { call } = await startInstance(context)
  await call(createSnapshots, { InstanceSpecification: { InstanceId: instanceId } })
  const list = async (input: object, accountId: string) =>
    ((await call(describeSnapshots, input, accountId)) as DescribeSnapshotsResult).Snapshots ?? []
  const [snapshot] = await list({}, mine)
  const SnapshotId = snapshot?.SnapshotId
  assert.deepEqual(await list({}, yours), [])
  await call(modifySnapshotAttribute, {
    SnapshotId,
    CreateVolumePermission: { Add: [{ UserId: yours }] },
  })
  assert.deepEqual(
    (await list({ RestorableByUserIds: ['self'] }, yours)).map((one) => one.SnapshotId),
    [SnapshotId],
  )
  await assert.rejects(call(deleteSnapshot, { SnapshotId }, yours), { code: 'AuthFailure' })
})

test('images come in pages, each once', async (context) => {
  const { call, describe, completeSnapshots } = await startInstance(context)
  const names = Array.from({ length: 12 }, (_, number) => `image ${number}`)
  for (const Name of names) await call(createImage, { InstanceId: instanceId, Name })
  await completeSnapshots()
  for (const Filters of [undefined, [{ Name: 'state', Values: ['available'] }]]) {
    const seen = new Set<string>()
    let NextToken: string | undefined
    do {
      const page = (await call(describeImages, {
        MaxResults: 5,
        NextToken,
        Filters,
      })) as DescribeImagesResult
      assert((page.Images?.length ?? 0) <= 5)
      for (const { Name = '' } of page.Images ?? []) {
        assert(!seen.has(Name))
        seen.add(Name)
      }
      NextToken = page.NextToken
    } while (NextToken)
    assert.deepEqual(seen, new Set(names))
  }
  await assert.rejects(describe({ Filters: [{ Name: 'color', Values: ['red'] }] }), {
    code: 'InvalidParameterValue',
    message: "The filter 'color' is invalid",
  })
  await assert.rejects(describe({ ImageIds: ['x', 'y'] }), { code: 'InvalidAMIID.Malformed' })
})
