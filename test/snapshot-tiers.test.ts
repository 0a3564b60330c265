/** Snapshots are archived and restored, and made ready ahead of their first volume, through a real client. */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { EBSClient, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs'
import {
  CopySnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeFastSnapshotRestoresCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DescribeSnapshotTierStatusCommand,
  DescribeVolumesCommand,
  DisableFastSnapshotRestoresCommand,
  DisableImageCommand,
  EnableFastSnapshotRestoresCommand,
  EnableImageCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
  ResetSnapshotAttributeCommand,
  RestoreImageFromRecycleBinCommand,
  RestoreSnapshotTierCommand,
} from '@aws-sdk/client-ec2'
import type { Id } from '../src/lib/ids.ts'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { RbinClient, rbinCommands } from './rbin-sdk.ts'
import { region, startSystem } from './system.ts'

const AvailabilityZone = `${region}a`
const state = { name: 'IncorrectState' }

async function start(context: TestContext) {
  const system = await startSystem(context)
  const { ec2 } = system
  const id = (await blankSnapshot(system)) as Id<'snapshot'>
  const status = async () => {
    const Filters = [{ Name: 'snapshot-id', Values: [id] }]
    const found = await ec2.send(new DescribeSnapshotTierStatusCommand({ Filters }))
    return found.SnapshotTierStatuses?.[0]
  }
  return {
    ...system,
    id,
    status,
    archive: () => ec2.send(new ModifySnapshotTierCommand({ SnapshotId: id })),
    restore: (input: object) =>
      ec2.send(new RestoreSnapshotTierCommand({ SnapshotId: id, ...input })),
    reaches: (wanted: string) =>
      system.until(wanted, async () => {
        const found = await status()
        return found?.LastTieringOperationStatus === wanted && found
      }),
    tiers: async (...Values: string[]) => {
      const Filters = [{ Name: 'storage-tier', Values }]
      const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ Filters }))
      return Snapshots
    },
    createVolume: () => ec2.send(new CreateVolumeCommand({ SnapshotId: id, AvailabilityZone })),
  }
}

test('an archived snapshot is of no use until it is restored', async (context) => {
  const system = await start(context)
  const { ec2, db, id, archive, restore, reaches, tiers, createVolume } = system
  await assert.rejects(restore({ PermanentRestore: true }), state)
  const ImageId = await registerBlank(system, id, { Name: 'one' })
  await assert.rejects(archive(), { name: 'InvalidSnapshot.InUse' })
  await ec2.send(new DeregisterImageCommand({ ImageId }))

  const begun = await archive()
  assert.equal(begun.SnapshotId, id)
  const archived = await reaches('archival-completed')
  assert.deepEqual(
    [archived.StorageTier, archived.LastTieringProgress, archived.LastTieringStartTime],
    ['archive', 100, begun.TieringStartTime],
  )
  assert(archived.ArchivalCompleteTime)
  assert.equal((await tiers('archive'))[0]?.StorageTier, 'archive')
  assert.deepEqual(await tiers('standard'), [])
  await assert.rejects(createVolume(), state)
  await assert.rejects(registerBlank(system, id, { Name: 'two' }), state)
  const copy = { SourceRegion: region, SourceSnapshotId: id }
  await assert.rejects(ec2.send(new CopySnapshotCommand(copy)), state)
  await assert.rejects(archive(), state)
  const ebs = new EBSClient(system.settingsWith())
  context.after(() => ebs.destroy())
  const blocks = () => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }))
  await assert.rejects(blocks(), { name: 'ValidationException' })

  await assert.rejects(restore({}), { name: 'MissingParameter' })
  await assert.rejects(restore({ TemporaryRestoreDays: 181 }), { name: 'InvalidParameterValue' })
  await assert.rejects(restore({ TemporaryRestoreDays: 1, PermanentRestore: true }), {
    name: 'InvalidParameterCombination',
  })
  const restored = await restore({ TemporaryRestoreDays: 2 })
  assert.deepEqual([restored.RestoreDuration, restored.IsPermanentRestore], [2, false])
  const back = await reaches('temporary-restore-completed')
  assert.equal(back.StorageTier, 'standard')
  const [shown] = await tiers('standard')
  assert.deepEqual(shown?.RestoreExpiryTime, back.RestoreExpiryTime)
  assert(back.RestoreExpiryTime)
  await createVolume()
  assert.deepEqual((await blocks()).Blocks, [])
  await assert.rejects(archive(), state)

  // Its days are over.
  const over = { restore_expires_at_ms: 1 }
  await db.writes.updateTable('snapshots').set(over).where('id', '=', id).execute()
  await reaches('archival-completed')
  await assert.rejects(createVolume(), state)
  const forGood = await restore({ PermanentRestore: true })
  assert.deepEqual([forGood.RestoreDuration, forGood.IsPermanentRestore], [undefined, true])
  const standard = await reaches('permanent-restore-completed')
  assert.deepEqual([standard.StorageTier, standard.RestoreExpiryTime], ['standard', undefined])
  await createVolume()
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }))
})

test('what is archived under a disabled image comes back before the image does', async (context) => {
  const system = await start(context)
  const { ec2, id: SnapshotId, archive, restore, reaches } = system
  const ImageId = await registerBlank(system, SnapshotId, { Name: 'one' })
  const share = () =>
    ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId,
        CreateVolumePermission: { Add: [{ UserId: '222222222222' }] },
      }),
    )
  await share()
  await assert.rejects(archive(), { name: 'InvalidSnapshot.InUse' })
  await ec2.send(new DisableImageCommand({ ImageId }))
  await archive()
  await reaches('archival-completed')
  const enable = () => ec2.send(new EnableImageCommand({ ImageId }))
  await assert.rejects(enable(), state)
  await assert.rejects(ec2.send(new DeleteSnapshotCommand({ SnapshotId })), {
    name: 'InvalidSnapshot.InUse',
  })
  // Those whom it was shared with have lost it.
  await assert.rejects(share(), state)
  const Attribute = 'createVolumePermission'
  const permissions = () =>
    ec2.send(new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute }))
  assert.deepEqual((await permissions()).CreateVolumePermissions, [])

  const rbin = new RbinClient(system.settingsWith())
  context.after(() => rbin.destroy())
  const CreateRule = rbinCommands['CreateRuleCommand']
  assert(CreateRule)
  const RetentionPeriod = { RetentionPeriodValue: 1, RetentionPeriodUnit: 'DAYS' }
  await rbin.send(new CreateRule({ ResourceType: 'EC2_IMAGE', RetentionPeriod }) as never)
  await ec2.send(new DeregisterImageCommand({ ImageId }))
  const comeBack = () => ec2.send(new RestoreImageFromRecycleBinCommand({ ImageId }))
  await assert.rejects(comeBack(), state)

  await restore({ TemporaryRestoreDays: 1 })
  await reaches('temporary-restore-completed')
  await assert.rejects(comeBack(), state)
  await restore({ PermanentRestore: true })
  await reaches('permanent-restore-completed')
  await comeBack()
  await ec2.send(new DisableImageCommand({ ImageId }))
  await enable()
  assert.deepEqual((await permissions()).CreateVolumePermissions, [])
})

test('fast restores make a base ready and keep it', async (context) => {
  const system = await start(context)
  const { ec2, id, dataFolder } = system
  const zones = [`${region}a`, `${region}b`]
  const missing = 'snap-0123456789abcdef0'
  const bases = async () => await readdir(join(dataFolder, 'bases')).catch(() => [])
  const states = async (...Filters: { Name: string; Values: string[] }[]) => {
    const found = await ec2.send(new DescribeFastSnapshotRestoresCommand({ Filters }))
    return found.FastSnapshotRestores?.map(({ State }) => State) ?? []
  }
  const enable = (input: object) =>
    ec2.send(
      new EnableFastSnapshotRestoresCommand({
        AvailabilityZones: zones,
        SourceSnapshotIds: [id],
        ...input,
      }),
    )
  assert.deepEqual(await bases(), [])
  await assert.rejects(enable({ AvailabilityZones: [] }), { name: 'MissingParameter' })
  await assert.rejects(enable({ AvailabilityZones: ['x'] }), { name: 'InvalidZone.NotFound' })
  await assert.rejects(enable({ SourceSnapshotIds: ['x'] }), {
    name: 'InvalidSnapshotID.Malformed',
  })
  const { Successful, Unsuccessful } = await enable({ SourceSnapshotIds: [id, missing] })
  assert.deepEqual(
    Successful?.map((one) => [one.SnapshotId, one.AvailabilityZone, one.State]),
    zones.map((zone) => [id, zone, 'enabling']),
  )
  assert.deepEqual(
    Unsuccessful?.map((one) => [
      one.SnapshotId,
      one.FastSnapshotRestoreStateErrors?.map(({ Error: error }) => error?.Code),
    ]),
    [[missing, ['InvalidSnapshot.NotFound', 'InvalidSnapshot.NotFound']]],
  )
  await system.until('both', async () => (await states()).every((one) => one === 'enabled'))
  assert.equal((await bases()).length, 1)
  const again = await enable({})
  assert.deepEqual(again.Successful?.[0]?.State, 'enabled')
  assert.deepEqual(await states({ Name: 'availability-zone', Values: [`${region}b`] }), ['enabled'])

  const { VolumeId } = await system.createVolume()
  await ec2.send(new CreateVolumeCommand({ SnapshotId: id, AvailabilityZone: `${region}c` }))
  const { Volumes = [] } = await ec2.send(
    new DescribeVolumesCommand({ Filters: [{ Name: 'fast-restored', Values: ['true'] }] }),
  )
  assert.deepEqual(
    Volumes.map((volume) => [volume.VolumeId, volume.FastRestored]),
    [[VolumeId, true]],
  )

  const disable = () =>
    ec2.send(
      new DisableFastSnapshotRestoresCommand({ AvailabilityZones: zones, SourceSnapshotIds: [id] }),
    )
  assert.deepEqual((await disable()).Successful?.[0]?.State, 'disabling')
  await system.until('the end', async () => (await states()).every((one) => one === 'disabled'))
  const refused = (await disable()).Unsuccessful?.[0]?.FastSnapshotRestoreStateErrors
  assert.deepEqual(
    refused?.map(({ Error: error }) => error?.Code),
    ['IncorrectState', 'IncorrectState'],
  )
  await enable({})
  await system.until('both', async () => (await states()).every((one) => one === 'enabled'))

  // Another account has its own, for as long as the snapshot is shared with it.
  const account = '222222222222'
  const sharee = await system.client(account)
  const Add = [{ UserId: account }]
  const CreateVolumePermission = { Add }
  await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId: id, CreateVolumePermission }))
  await sharee.send(
    new EnableFastSnapshotRestoresCommand({ AvailabilityZones: zones, SourceSnapshotIds: [id] }),
  )
  const theirs = async (wanted: string) => {
    const found = await sharee.send(new DescribeFastSnapshotRestoresCommand({}))
    const all = found.FastSnapshotRestores ?? []
    return all.every(({ State }) => State === wanted) && all
  }
  await system.until('theirs', () => theirs('enabled'))
  const Attribute = 'createVolumePermission'
  await ec2.send(new ResetSnapshotAttributeCommand({ SnapshotId: id, Attribute }))
  const ended = await system.until('their end', () => theirs('disabled'))
  for (const { StateTransitionReason } of ended)
    assert.match(StateTransitionReason ?? '', /access permissions were revoked/)
  assert.deepEqual(await states(), ['enabled', 'enabled'])
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }))
  assert.deepEqual(await states(), [])
})
