/** What cannot be done with snapshots and volumes is refused with the code that EC2 has for it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CompleteSnapshotCommand,
  EBSClient,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs'
import * as ec2 from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import type { Id } from '../src/lib/ids.ts'
import { failSnapshot, insertSnapshot } from '../src/snapshots/store.ts'
import type { CompletedSnapshot, PendingSnapshot } from '../src/snapshots/snapshot.ts'
import { newId, putImage, putInstance, snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const owner = { accountId, region }
const stranger = { accountId: '222222222222', region }

interface Sent {
  readonly input: object
}

function pendingRow(): PendingSnapshot {
  const { id, volumeId, volumeSizeGiB, description, startedAt } = snapshotRow(owner)
  const nothing = { progressPercent: 0, freezeId: undefined, layer: undefined }
  return {
    id,
    ...owner,
    volumeId,
    volumeSizeGiB,
    description,
    startedAt,
    ...nothing,
    state: 'pending',
  }
}

async function start(context: Parameters<typeof startSystem>[0]) {
  const system = await startSystem(context, { isIdle: true })
  const { db } = system
  const put = async (row: CompletedSnapshot | PendingSnapshot) => {
    await transaction(db.writes, (tx) => insertSnapshot(tx, row))
    return row.id
  }
  const refused = async (command: Sent, name: string) => {
    const what = `${command.constructor.name} ${JSON.stringify(command.input)}: ${name}`
    // Which of the commands it is does not matter here.
    const sent = system.ec2.send(command as unknown as ec2.DescribeVolumesCommand)
    await assert.rejects(sent, { name }, what)
  }
  return { ...system, put, refused }
}

test('what no snapshot can be taken of is refused', async (context) => {
  const system = await start(context)
  const { db, refused } = system
  const { VolumeId: creating } = await system.ec2.send(
    new ec2.CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1 }),
  )
  const take = (input: object) => new ec2.CreateSnapshotCommand({ VolumeId: creating, ...input })
  await refused(take({}), 'IncorrectState')
  await refused(take({ Description: 'x'.repeat(256) }), 'InvalidParameterValue')
  await refused(take({ Location: 'local' }), 'UnsupportedOperation')
  await refused(take({ OutpostArn: 'arn:aws:outposts:x' }), 'UnsupportedOperation')
  await refused(take({ VolumeId: 'vol-x' }), 'InvalidVolumeID.Malformed')
  await refused(take({ VolumeId: newId('volume') }), 'InvalidVolume.NotFound')

  const imageId = newId('image')
  const running = await putInstance(db, owner, { imageId })
  const ended = await putInstance(db, owner, { imageId, state: 'terminated' })
  const [root] = await db.reads
    .selectFrom('volume_attachments')
    .select('volume_id')
    .where('instance_id', '=', running.id)
    .execute()
  const takeAll = (more: object, rest: object = {}) =>
    new ec2.CreateSnapshotsCommand({
      InstanceSpecification: { InstanceId: running.id, ...more },
      ...rest,
    })
  await refused(takeAll({ InstanceId: undefined }), 'MissingParameter')
  await refused(takeAll({ InstanceId: 'i-x' }), 'InvalidInstanceID.Malformed')
  await refused(takeAll({ InstanceId: newId('instance') }), 'InvalidInstanceID.NotFound')
  await refused(takeAll({ InstanceId: ended.id }), 'IncorrectState')
  await refused(takeAll({ ExcludeBootVolume: true }), 'InvalidParameterValue')
  for (const id of [root?.volume_id ?? '', newId('volume')]) {
    await refused(takeAll({ ExcludeDataVolumeIds: [id] }), 'InvalidParameterValue')
  }
  await refused(takeAll({ ExcludeDataVolumeIds: ['x'] }), 'InvalidVolumeID.Malformed')
  await refused(takeAll({}, { Location: 'local' }), 'UnsupportedOperation')
  await refused(takeAll({}, { CopyTagsFromSource: 'instance' }), 'InvalidParameterValue')
})

test('who shares a snapshot as nobody can is refused', async (context) => {
  const { refused, put, db, ...system } = await start(context)
  const SnapshotId = await put(snapshotRow(owner))
  const modify = (input: object) => new ec2.ModifySnapshotAttributeCommand({ SnapshotId, ...input })
  const add = (input: object) => modify({ OperationType: 'add', ...input })
  await refused(modify({ Attribute: 'productCodes' }), 'UnsupportedOperation')
  await refused(modify({ Attribute: 'size' }), 'InvalidRequest')
  await refused(modify({}), 'InvalidParameterCombination')
  await refused(add({}), 'InvalidParameterCombination')
  await refused(modify({ UserIds: [accountId] }), 'InvalidParameterValue')
  await refused(modify({ OperationType: 'x', UserIds: [accountId] }), 'InvalidParameterValue')
  await refused(add({ UserIds: ['12'] }), 'InvalidUserID.Malformed')
  await refused(add({ GroupNames: ['some'] }), 'InvalidParameterValue')
  await refused(
    modify({ CreateVolumePermission: { Add: [{ UserId: 'x' }] } }),
    'InvalidUserID.Malformed',
  )
  await refused(add({ SnapshotId: 'snap-x', GroupNames: ['all'] }), 'InvalidSnapshotID.Malformed')
  const reset = (Attribute: string) =>
    new ec2.ResetSnapshotAttributeCommand({ SnapshotId, Attribute: Attribute as 'productCodes' })
  await refused(reset('productCodes'), 'InvalidParameterValue')
  await refused(reset('x'), 'InvalidRequest')
  const describe = { SnapshotId, Attribute: 'x' as 'productCodes' }
  await refused(new ec2.DescribeSnapshotAttributeCommand(describe), 'InvalidRequest')

  // What one can see of others is not one's own.
  const foreign = await put(snapshotRow(stranger))
  await refused(new ec2.DeleteSnapshotCommand({ SnapshotId: foreign }), 'InvalidSnapshot.NotFound')
  const other = await system.client(stranger.accountId)
  await other.send(
    new ec2.ModifySnapshotAttributeCommand({
      SnapshotId: foreign,
      OperationType: 'add',
      UserIds: [accountId],
    }),
  )
  const notMine: readonly Sent[] = [
    new ec2.DeleteSnapshotCommand({ SnapshotId: foreign }),
    add({ SnapshotId: foreign, GroupNames: ['all'] }),
    new ec2.ResetSnapshotAttributeCommand({
      SnapshotId: foreign,
      Attribute: 'createVolumePermission',
    }),
    new ec2.LockSnapshotCommand({ SnapshotId: foreign, LockMode: 'governance', LockDuration: 1 }),
    new ec2.UnlockSnapshotCommand({ SnapshotId: foreign }),
    new ec2.ModifySnapshotTierCommand({ SnapshotId: foreign }),
    new ec2.RestoreSnapshotTierCommand({ SnapshotId: foreign, PermanentRestore: true }),
  ]
  for (const command of notMine) await refused(command, 'AuthFailure')
  const image = await putImage(db, owner, { name: 'uses it' })
  const used = image.blockDevices[0]?.ebs?.snapshotId
  await refused(new ec2.DeleteSnapshotCommand({ SnapshotId: used }), 'InvalidSnapshot.InUse')
})

test('what is not whole, not there or too much is not copied, locked, archived or made ready', async (context) => {
  const { ec2: client, refused, put, db } = await start(context)
  const SnapshotId = await put(snapshotRow(owner))
  const pending = await put(pendingRow())
  const failed = await put(pendingRow())
  await transaction(db.writes, (tx) => failSnapshot(tx, { id: failed, message: 'x' }))

  const copy = (input: object) =>
    new ec2.CopySnapshotCommand({ SourceRegion: region, SourceSnapshotId: SnapshotId, ...input })
  await refused(copy({ SourceRegion: 'mars-north-1' }), 'InvalidRegion')
  await refused(copy({ SourceSnapshotId: pending }), 'IncorrectState')
  await refused(copy({ SourceSnapshotId: failed }), 'IncorrectState')
  await refused(copy({ SourceSnapshotId: newId('snapshot') }), 'InvalidSnapshot.NotFound')
  await refused(copy({ CompletionDurationMinutes: 20 }), 'InvalidParameterValue')
  await refused(copy({ CompletionDurationMinutes: 2895 }), 'InvalidParameterValue')
  await refused(copy({ Description: 'x'.repeat(256) }), 'InvalidParameterValue')
  await refused(copy({ DestinationOutpostArn: 'arn:aws:outposts:x' }), 'UnsupportedOperation')
  for (let copies = 0; copies < 20; copies++) await client.send(copy({}))
  await refused(copy({}), 'ResourceLimitExceeded')

  const lock = { LockMode: 'governance', LockDuration: 1 } as const
  await refused(new ec2.LockSnapshotCommand({ SnapshotId: failed, ...lock }), 'IncorrectState')
  await refused(new ec2.ModifySnapshotTierCommand({ SnapshotId: pending }), 'IncorrectState')
  const restore = (input: object) => new ec2.RestoreSnapshotTierCommand({ SnapshotId, ...input })
  await refused(restore({ PermanentRestore: true }), 'IncorrectState')
  await client.send(new ec2.ModifySnapshotTierCommand({ SnapshotId }))
  await refused(new ec2.ModifySnapshotTierCommand({ SnapshotId }), 'IncorrectState')
  // As if it had been archived, and were on its way back.
  await db.writes
    .updateTable('snapshots')
    .set({ storage_tier: 'archive' })
    .where('id', '=', SnapshotId)
    .execute()
  await refused(restore({ PermanentRestore: true }), 'IncorrectState')
  await refused(
    restore({ PermanentRestore: true, TemporaryRestoreDays: 1 }),
    'InvalidParameterCombination',
  )
  await refused(restore({}), 'MissingParameter')

  const ready = (input: object) =>
    new ec2.EnableFastSnapshotRestoresCommand({
      AvailabilityZones: [`${region}a`],
      SourceSnapshotIds: [SnapshotId],
      ...input,
    })
  await refused(ready({ AvailabilityZoneIds: ['use1-az1'] }), 'InvalidParameterCombination')
  await refused(ready({ AvailabilityZones: [] }), 'MissingParameter')
  await refused(ready({ SourceSnapshotIds: [] }), 'MissingParameter')
  await refused(ready({ AvailabilityZones: ['mars-1a'] }), 'InvalidZone.NotFound')
  await refused(ready({ SourceSnapshotIds: ['x'] }), 'InvalidSnapshotID.Malformed')
})

test('a volume that is not ready for it is left as it is', async (context) => {
  const { ec2: client, refused, db, put } = await start(context)
  const AvailabilityZone = `${region}a`
  const create = (input: object) => new ec2.CreateVolumeCommand({ AvailabilityZone, ...input })
  const { VolumeId } = await client.send(create({ Size: 1 }))
  await refused(new ec2.DeleteVolumeCommand({ VolumeId }), 'IncorrectState')
  await refused(create({ SnapshotId: await put(pendingRow()) }), 'IncorrectState')
  await refused(create({ Size: 1, VolumeType: 'gp3', Throughput: 2001 }), 'InvalidParameterValue')
  await refused(create({ Size: 1, Throughput: 125 }), 'InvalidParameterCombination')
  await refused(create({ Size: 1, AvailabilityZoneId: 'use1-az1' }), 'InvalidParameterCombination')
  const all = { VolumeIds: [VolumeId ?? ''], MaxResults: 5 }
  await refused(new ec2.DescribeVolumesCommand(all), 'InvalidParameterCombination')

  const { id: imageId } = await putImage(db, owner, { name: 'an image' })
  const ended = await putInstance(db, owner, { imageId, state: 'terminated' })
  await db.writes
    .updateTable('volumes')
    .set({ state: 'available' })
    .where('id', '=', VolumeId as Id<'volume'>)
    .execute()
  const attach = { VolumeId, InstanceId: ended.id, Device: '/dev/sdf' }
  await refused(new ec2.AttachVolumeCommand(attach), 'IncorrectState')
  const onOther = new ec2.AttachVolumeCommand({ ...attach, EbsCardIndex: 1 })
  await refused(onOther, 'UnsupportedOperation')

  const { id: InstanceId } = await putInstance(db, owner, { imageId })
  const replace = (input: object) =>
    new ec2.CreateReplaceRootVolumeTaskCommand({ InstanceId, ...input })
  const { id: armImage } = await putImage(db, owner, { name: 'other', architecture: 'arm64' })
  await refused(replace({ ImageId: armImage }), 'InvalidParameterValue')
  const { VolumeId: making } = await client.send(create({ Size: 1 }))
  await refused(replace({ VolumeId: making }), 'IncorrectState')
  const far = await client.send(create({ Size: 1, AvailabilityZone: `${region}b` }))
  await refused(replace({ VolumeId: far.VolumeId }), 'InvalidVolume.ZoneMismatch')
  const gone = await putInstance(db, owner, { imageId: newId('image') })
  await refused(replace({ InstanceId: gone.id }), 'InvalidSnapshot.NotFound')
  await db.writes.deleteFrom('volume_attachments').where('instance_id', '=', gone.id).execute()
  await refused(replace({ InstanceId: gone.id }), 'IncorrectState')
})

test('a snapshot that does not take blocks says why', async (context) => {
  const system = await start(context)
  const { put, db } = system
  const ebs = new EBSClient(system.settingsWith())
  context.after(() => ebs.destroy())
  const reason = (Reason: string) => ({ name: 'ValidationException', Reason })
  const begin = async () => (await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }))).SnapshotId
  const SnapshotId = await begin()
  const complete = (input: object) =>
    ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 0, ...input }))
  const block = (id: string | undefined) => {
    const BlockData = Buffer.alloc(512 * 1024)
    const sum = {
      Checksum: 'B4VNL+8pega6gWJsaqO+xGq4ZFTjjYKXBTiHeB6o7UU=',
      ChecksumAlgorithm: 'SHA256',
    } as const
    const input = { SnapshotId: id, BlockIndex: 0, BlockData, DataLength: BlockData.length, ...sum }
    return ebs.send(new PutSnapshotBlockCommand(input))
  }
  await assert.rejects(
    complete({ ChecksumAggregationMethod: 'TREE', Checksum: 'x', ChecksumAlgorithm: 'SHA256' }),
    reason('INVALID_PARAMETER_VALUE'),
  )
  const whole = await put(snapshotRow(owner))
  const notWritten = { name: 'ValidationException' }
  await assert.rejects(block(whole), notWritten)
  await assert.rejects(complete({ SnapshotId: whole }), notWritten)
  await assert.rejects(complete({ ChangedBlocksCount: 1 }), notWritten)
  await assert.rejects(
    ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: whole, StartingBlockIndex: -1 })),
    reason('INVALID_PARAMETER_VALUE'),
  )
  await complete({})
  await assert.rejects(block(SnapshotId), notWritten)

  const late = await begin()
  await db.writes
    .updateTable('direct_snapshots')
    .set({ touched_at_ms: 1 })
    .where('snapshot_id', '=', late as Id<'snapshot'>)
    .execute()
  await assert.rejects(block(late), reason('WRITE_REQUEST_TIMEOUT'))
  await assert.rejects(complete({ SnapshotId: late }), reason('WRITE_REQUEST_TIMEOUT'))
  const parent = new StartSnapshotCommand({ VolumeSize: 1, ParentSnapshotId: late })
  await assert.rejects(ebs.send(parent), { name: /ValidationException|ResourceNotFoundException/ })
  for (let open = 2; open < 100; open++) await begin()
  await assert.rejects(begin(), {
    name: 'ServiceQuotaExceededException',
    Reason: 'DEPENDENCY_SERVICE_QUOTA_EXCEEDED',
  })
})
