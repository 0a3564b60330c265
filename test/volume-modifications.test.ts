/** Volumes grow and change their type, through a real client. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  ModifyVolumeCommand,
  type ModifyVolumeCommandInput,
} from '@aws-sdk/client-ec2'
import { region, startSystem } from './system.ts'

async function start(context: TestContext, isIdle = false) {
  const system = await startSystem(context, { isIdle })
  const { ec2 } = system
  const until = system.until.bind(system)
  const describe = async (id: string) => {
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
    return Volumes[0]
  }
  return {
    ...system,
    until,
    describe,
    create: async (input: Partial<CreateVolumeCommandInput> = {}) => {
      const wanted = { AvailabilityZone: `${region}a`, Size: 1, ...input }
      const { VolumeId = '' } = await ec2.send(new CreateVolumeCommand(wanted))
      if (!isIdle) {
        await until('available', async () => (await describe(VolumeId))?.State === 'available')
      }
      return VolumeId
    },
    modify: async (VolumeId: string, input: Omit<ModifyVolumeCommandInput, 'VolumeId'>) =>
      (await ec2.send(new ModifyVolumeCommand({ VolumeId, ...input }))).VolumeModification,
    completed: (VolumeId: string) =>
      until('the change', async () => {
        const wanted = new DescribeVolumesModificationsCommand({ VolumeIds: [VolumeId] })
        const [found] = (await ec2.send(wanted)).VolumesModifications ?? []
        return found?.ModificationState === 'completed' && found
      }),
    snapshot: async (VolumeId: string) => {
      const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
      return await until('the snapshot', async () => {
        const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
        const [found] = (await ec2.send(wanted)).Snapshots ?? []
        return found?.State === 'completed' && found
      })
    },
  }
}

test('a volume grows, and so do the snapshots after it', async (context) => {
  const { create, modify, completed, describe, snapshot } = await start(context)
  const id = await create({ VolumeType: 'gp2' })
  assert.equal((await snapshot(id)).VolumeSize, 1)
  const asked = await modify(id, { Size: 3, VolumeType: 'gp3', Throughput: 250 })
  assert.deepEqual(
    [asked?.ModificationState, asked?.OriginalSize, asked?.TargetSize, asked?.Progress],
    ['modifying', 1, 3, 0],
  )
  const done = await completed(id)
  assert.deepEqual(
    [done.OriginalVolumeType, done.OriginalIops, done.TargetVolumeType, done.TargetIops],
    ['gp2', 100, 'gp3', 3000],
  )
  assert.deepEqual([done.TargetThroughput, done.Progress], [250, 100])
  assert(done.EndTime && done.StartTime && done.EndTime >= done.StartTime)
  const grown = await describe(id)
  assert.deepEqual(
    [grown?.Size, grown?.VolumeType, grown?.Iops, grown?.Throughput, grown?.State],
    [3, 'gp3', 3000, 250, 'available'],
  )
  const larger = await snapshot(id)
  assert.equal(larger.VolumeSize, 3)
  await assert.rejects(create({ SnapshotId: larger.SnapshotId, Size: 2 }), {
    name: 'InvalidParameterValue',
  })
  const copy = await create({ SnapshotId: larger.SnapshotId, Size: undefined })
  assert.equal((await describe(copy))?.Size, 3)
  assert.equal((await snapshot(copy)).VolumeSize, 3)
})

test('a volume is changed once at a time, and a few times a day', async (context) => {
  const { create, modify, completed } = await start(context)
  const id = await create()
  for (const Size of [2, 3, 4, 5]) {
    await modify(id, { Size })
    await completed(id)
  }
  await assert.rejects(modify(id, { Size: 6 }), { name: 'VolumeModificationRateExceeded' })
})

test('a change that cannot be is refused with the code that EC2 has for it', async (context) => {
  const { ec2, db, create, modify } = await start(context, true)
  const id = await create({ Size: 4, VolumeType: 'gp3' })
  await assert.rejects(modify(id, { Size: 5 }), { name: 'IncorrectState' })
  await db.writes.updateTable('volumes').set({ state: 'available' }).execute()
  const refused = (input: Omit<ModifyVolumeCommandInput, 'VolumeId'>, name: string) =>
    assert.rejects(modify(id, input), { name })
  await refused({}, 'InvalidParameterValue')
  await refused({ Size: 3 }, 'InvalidParameterValue')
  await refused({ Size: 70_000 }, 'InvalidParameterValue')
  await refused({ Iops: 2999 }, 'InvalidParameterValue')
  await refused({ VolumeType: 'gp9' as 'gp3' }, 'InvalidParameterValue')
  await refused({ VolumeType: 'st1' }, 'InvalidParameterValue')
  await refused({ VolumeType: 'gp2', Iops: 3000 }, 'InvalidParameterCombination')
  await refused({ MultiAttachEnabled: true }, 'UnsupportedOperation')
  await assert.rejects(modify('vol-0123456789abcdef0', { Size: 5 }), {
    name: 'InvalidVolume.NotFound',
  })
  await assert.rejects(modify('vol-x', { Size: 5 }), { name: 'InvalidVolumeID.Malformed' })

  const find = async (...VolumeIds: string[]) =>
    await ec2.send(new DescribeVolumesModificationsCommand({ VolumeIds }))
  await assert.rejects(find(id), { name: 'InvalidVolumeModification.NotFound' })
  await assert.rejects(find('vol-0123456789abcdef0'), { name: 'InvalidVolume.NotFound' })
  await modify(id, { Size: 5 })
  assert.equal((await find(id)).VolumesModifications?.length, 1)
  await assert.rejects(modify(id, { Size: 6 }), {
    name: 'IncorrectModificationState',
    message: `Volume ${id} cannot be modified in modification state MODIFYING`,
  })
  const count = async (Name: string, ...Values: string[]) => {
    const wanted = new DescribeVolumesModificationsCommand({ Filters: [{ Name, Values }] })
    return (await ec2.send(wanted)).VolumesModifications?.length
  }
  assert.equal(await count('modification-state', 'modifying'), 1)
  assert.equal(await count('target-size', '4'), 0)
  await assert.rejects(count('colour', 'red'), { name: 'InvalidParameterValue' })
})
