/** Snapshots and volumes that are deleted go into the Recycle Bin where a rule says so, and come back. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import {
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeSnapshotsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  ListSnapshotsInRecycleBinCommand,
  ListVolumesInRecycleBinCommand,
  LockSnapshotCommand,
  ModifyVolumeCommand,
  RestoreSnapshotFromRecycleBinCommand,
  RestoreVolumeFromRecycleBinCommand,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import type { Id } from '../src/lib/ids.ts'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { findInstance } from '../src/instances/store.ts'
import { findDefaultVpc } from '../src/network/store.ts'
import { changeVolumeState, insertAttachment } from '../src/volumes/store.ts'
import { putImage, putInstance } from './rows.ts'
import { RbinClient, rbinCommands } from './rbin-sdk.ts'
import { accountId, region, startSystem, type TestSystem } from './system.ts'

const AvailabilityZone = `${region}a`
const owner = { accountId, region }
const gone = { name: 'InvalidSnapshot.NotFound' }

async function start(context: TestContext) {
  const system = await startSystem(context)
  const rbin = new RbinClient(system.settingsWith())
  context.after(() => rbin.destroy())
  return {
    ...system,
    rule: async (ResourceType: string, input: object = {}) => {
      const Made = rbinCommands['CreateRuleCommand']
      assert(Made)
      const RetentionPeriod = { RetentionPeriodValue: 3, RetentionPeriodUnit: 'DAYS' }
      await rbin.send(new Made({ ResourceType, RetentionPeriod, ...input }) as never)
    },
    snapshots: async () =>
      (await system.ec2.send(new ListSnapshotsInRecycleBinCommand({}))).Snapshots ?? [],
    volumes: async () =>
      (await system.ec2.send(new ListVolumesInRecycleBinCommand({}))).Volumes ?? [],
  }
}

async function tagsOf({ ec2 }: Pick<TestSystem, 'ec2'>, id: string) {
  const Filters = [{ Name: 'resource-id', Values: [id] }]
  const { Tags = [] } = await ec2.send(new DescribeTagsCommand({ Filters }))
  return Tags.map(({ Key, Value }) => [Key, Value])
}

test('a snapshot is brought back from the Recycle Bin, or leaves it in the end', async (context) => {
  const system = await start(context)
  const { ec2, db, rule, snapshots } = system
  const ExcludeResourceTags = [{ ResourceTagKey: 'scratch' }]
  await rule('EBS_SNAPSHOT', { ExcludeResourceTags })
  const id = await blankSnapshot(system)
  const remove = (SnapshotId: string) => ec2.send(new DeleteSnapshotCommand({ SnapshotId }))
  const SnapshotIds = [id]
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'a', Value: 'b' }] }))
  await remove(id)
  const [binned] = await snapshots()
  const [enter = 0, exit = 0] = [
    binned?.RecycleBinEnterTime?.getTime(),
    binned?.RecycleBinExitTime?.getTime(),
  ]
  assert.deepEqual([binned?.SnapshotId, exit - enter], [id, 3 * 86_400_000])

  // Nobody can use it.
  await assert.rejects(ec2.send(new DescribeSnapshotsCommand({ SnapshotIds })), gone)
  const use = { SnapshotId: id, AvailabilityZone }
  await assert.rejects(ec2.send(new CreateVolumeCommand(use)), gone)
  await assert.rejects(registerBlank(system, id, { Name: 'of the bin' }), gone)
  await assert.rejects(remove(id), gone)
  const lock = { SnapshotId: id, LockMode: 'governance', LockDuration: 1 } as const
  await assert.rejects(ec2.send(new LockSnapshotCommand(lock)), gone)
  const restore = () => ec2.send(new RestoreSnapshotFromRecycleBinCommand({ SnapshotId: id }))
  const other = await system.client('222222222222')
  const theirs = new RestoreSnapshotFromRecycleBinCommand({ SnapshotId: id })
  await assert.rejects(other.send(theirs), gone)

  // Its tags alone can be changed, by its owner.
  const tag = new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'c', Value: 'd' }] })
  await assert.rejects(other.send(tag), gone)
  await ec2.send(tag)
  await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: [{ Key: 'a' }] }))
  const mark = ['aws:recycle-bin:resource-in-bin', 'true']
  assert.deepEqual(await tagsOf(system, id), [mark, ['c', 'd']])
  await ec2.send(new DeleteTagsCommand({ Resources: [id] }))
  assert.deepEqual(await tagsOf(system, id), [mark])
  // It does not count.
  const Tags = Array.from({ length: 50 }, (_, number) => ({ Key: `k${number}`, Value: '' }))
  await ec2.send(new CreateTagsCommand({ Resources: [id], Tags }))
  await assert.rejects(ec2.send(tag), { name: 'TagLimitExceeded' })
  await ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: Tags.slice(1) }))

  const back = await restore()
  assert.deepEqual([back.SnapshotId, back.State, back.VolumeSize], [id, 'completed', 1])
  assert.deepEqual(await snapshots(), [])
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))
  assert.deepEqual(Snapshots?.[0]?.Tags, Tags.slice(0, 1))
  await assert.rejects(restore(), gone)
  const { VolumeId = '' } = await ec2.send(new CreateVolumeCommand(use))
  await system.until('a volume of it', async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
    return Volumes?.[0]?.State === 'available'
  })

  // Its image goes, and it with it; then its time is over.
  const ImageId = await registerBlank(system, id, { Name: 'one' })
  const { DeleteSnapshotResults } = await ec2.send(
    new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }),
  )
  assert.deepEqual(DeleteSnapshotResults, [{ SnapshotId: id, ReturnCode: 'success' }])
  assert.equal((await snapshots()).length, 1)
  const overAt = { recycle_exit_at_ms: 1 }
  await db.writes
    .updateTable('snapshots')
    .set(overAt)
    .where('id', '=', id as Id<'snapshot'>)
    .execute()
  await system.until('the end', async () => (await snapshots()).length === 0)
  await assert.rejects(restore(), gone)

  // What a rule leaves out is gone at once.
  const scratch = await blankSnapshot(system)
  await ec2.send(
    new CreateTagsCommand({ Resources: [scratch], Tags: [{ Key: 'scratch', Value: '' }] }),
  )
  await remove(scratch)
  assert.deepEqual(await snapshots(), [])
  const missing = new ListSnapshotsInRecycleBinCommand({ SnapshotIds: [scratch] })
  await assert.rejects(ec2.send(missing), gone)
})

test('a volume keeps what is on it in the Recycle Bin', async (context) => {
  const system = await start(context)
  const { ec2, db, rule, volumes } = system
  await rule('EBS_VOLUME', { ResourceTags: [{ ResourceTagKey: 'keep' }] })
  const create = async (...Tags: { Key: string; Value: string }[]) => {
    const TagSpecifications = [{ ResourceType: 'volume' as const, Tags }]
    const { VolumeId = '' } = await ec2.send(
      new CreateVolumeCommand({
        AvailabilityZone,
        Size: 1,
        ...(Tags.length > 0 && { TagSpecifications }),
      }),
    )
    await system.until('the volume', async () => (await describe(VolumeId))?.State === 'available')
    return VolumeId as Id<'volume'>
  }
  const describe = async (id: string) =>
    (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))).Volumes?.[0]
  const missing = { name: 'InvalidVolume.NotFound' }
  const remove = (VolumeId: string) => ec2.send(new DeleteVolumeCommand({ VolumeId }))
  const restore = (VolumeId: string) =>
    ec2.send(new RestoreVolumeFromRecycleBinCommand({ VolumeId }))

  const changes = async () => {
    const { VolumesModifications: all } = await ec2.send(
      new DescribeVolumesModificationsCommand({}),
    )
    return all?.map((one) => [one.VolumeId, one.ModificationState])
  }

  const kept = await create({ Key: 'keep', Value: 'me' })
  const plain = await create()
  await ec2.send(new ModifyVolumeCommand({ VolumeId: kept, VolumeType: 'gp3' }))
  const changed = [[kept, 'completed']]
  await system.until('the change', async () => isDeepStrictEqual(await changes(), changed))
  await remove(kept)
  await remove(plain)
  const [binned, ...others] = await volumes()
  assert.deepEqual(
    [binned?.VolumeId, binned?.Size, binned?.AvailabilityZone, others],
    [kept, 1, AvailabilityZone, []],
  )
  await assert.rejects(describe(kept), missing)
  await assert.rejects(remove(kept), missing)
  await assert.rejects(restore(plain), missing)
  const Tags = [{ Key: 'keep', Value: 'it' }]
  await ec2.send(new CreateTagsCommand({ Resources: [kept], Tags }))
  assert.equal((await tagsOf(system, kept)).length, 2)
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
  assert(!Volumes.some(({ VolumeId }) => VolumeId === kept))
  assert.deepEqual(await changes(), [])
  assert.equal((await restore(kept)).Return, true)
  const back = await describe(kept)
  assert.deepEqual([back?.State, back?.Tags], ['available', Tags])
  assert.deepEqual(await changes(), changed)

  // It goes there with its instance too, but not where that was never launched.
  const { id: imageId } = await putImage(db, owner, { name: 'an image' })
  const { id: vpcId } = (await findDefaultVpc(db.reads, owner)) ?? {}
  const ends = { state: 'shutting-down' } as const
  for (const state of ['attached', 'attaching'] as const) {
    const instance = { imageId, ...(vpcId && { vpcId }), state: 'stopped' } as const
    const { id: instanceId } = await putInstance(db, owner, instance)
    const id = await create({ Key: 'keep', Value: 'it' })
    const attachment = {
      volumeId: id,
      instanceId,
      device: '/dev/sdf',
      state,
      isDetachForced: false,
      deleteOnTermination: true,
      attachedAt: new Date(0),
    }
    await transaction(db.writes, async (tx) => {
      await tx.updateTable('volume_attachments').set({ delete_on_termination: 1 }).execute()
      await insertAttachment(tx, attachment)
      await changeVolumeState(tx, { id, from: 'available', to: 'in-use' })
      await tx.updateTable('instances').set(ends).where('id', '=', instanceId).execute()
    })
    await system.until('its end', async () => {
      return (await findInstance(db.reads, instanceId))?.state === 'terminated'
    })
    const isBinned = (await volumes()).some(({ VolumeId }) => VolumeId === id)
    assert.equal(isBinned, state === 'attached')
    if (!isBinned) continue
    await restore(id)
    assert.equal((await describe(id))?.State, 'available')
    await ec2.send(new DeleteTagsCommand({ Resources: [id] }))
    await remove(id)
  }

  await remove(kept)
  const over = { recycle_exit_at_ms: 1 }
  await db.writes.updateTable('volumes').set(over).where('id', '=', kept).execute()
  await system.until('the end', async () => {
    const rows = await db.reads.selectFrom('volumes').select('id').execute()
    return rows.length === 0
  })
  await assert.rejects(restore(kept), missing)
})
