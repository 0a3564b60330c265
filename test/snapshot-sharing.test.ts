/** Who may see a snapshot, and how an account keeps its own from everyone, through a real client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DisableSnapshotBlockPublicAccessCommand,
  type EC2Client,
  EnableSnapshotBlockPublicAccessCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  ModifySnapshotAttributeCommand,
  type SnapshotBlockPublicAccessState,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { databases } from './databases.ts'
import { snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`an account keeps its snapshots from everyone (${database})`, async (context) => {
    const system = await startSystem(context, { isIdle: true, database })
    const { ec2, db } = system
    const other = await system.client('222222222222')
    const snapshot = snapshotRow({ accountId, region })
    const SnapshotId = snapshot.id
    await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
    const change = (OperationType: 'add' | 'remove', who: object) =>
      ec2.send(
        new ModifySnapshotAttributeCommand({
          SnapshotId,
          Attribute: 'createVolumePermission',
          OperationType,
          ...who,
        }),
      )
    const everyone = { GroupNames: ['all'] }
    const block = (State: string) =>
      ec2.send(
        new EnableSnapshotBlockPublicAccessCommand({
          State: State as SnapshotBlockPublicAccessState,
        }),
      )
    const isSeen = async (client: EC2Client, input: object = {}) =>
      (await client.send(new DescribeSnapshotsCommand(input))).Snapshots?.length === 1
    const state = async () =>
      (await ec2.send(new GetSnapshotBlockPublicAccessStateCommand({}))).State

    const first = await ec2.send(new GetSnapshotBlockPublicAccessStateCommand({}))
    assert.deepEqual([first.State, first.ManagedBy], ['unblocked', 'account'])
    await change('add', everyone)
    assert(await isSeen(other))

    assert.equal((await block('block-new-sharing')).State, 'block-new-sharing')
    assert(await isSeen(other), 'what is public stays so')
    await assert.rejects(change('add', everyone), { name: 'OperationNotPermitted' })

    await block('block-all-sharing')
    assert.equal(await state(), 'block-all-sharing')
    assert(!(await isSeen(other)))
    assert(!(await isSeen(other, { RestorableByUserIds: ['all'] })))
    await assert.rejects(isSeen(other, { SnapshotIds: [SnapshotId] }), {
      name: 'InvalidSnapshot.NotFound',
    })
    assert(await isSeen(ec2))
    const { CreateVolumePermissions } = await ec2.send(
      new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: 'createVolumePermission' }),
    )
    assert.deepEqual(CreateVolumePermissions, [{ Group: 'all' }], 'it is stored as public')
    await change('add', { UserIds: ['222222222222'] })
    assert(await isSeen(other), 'to share with an account is no public sharing')
    await change('remove', { UserIds: ['222222222222'] })
    assert(!(await isSeen(other)))

    const { State } = await ec2.send(new DisableSnapshotBlockPublicAccessCommand({}))
    assert.equal(State, 'unblocked')
    assert(await isSeen(other))
    await assert.rejects(block('unblocked'), { name: 'InvalidParameterValue' })
    // Another account's setting is its own.
    await other.send(new EnableSnapshotBlockPublicAccessCommand({ State: 'block-all-sharing' }))
    assert.equal(await state(), 'unblocked')
    assert(await isSeen(other))
  })
}
