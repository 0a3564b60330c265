/** What is told of snapshots and of volumes that cannot be attached, on both databases. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { databases, type Start } from '../../test/databases.ts'
import { newId, putInstance } from '../../test/rows.ts'
import { type Connections, transaction, type Tx } from '../db/database.ts'
import { endings, type FastRestore } from '../fast-restores/fast-restore.ts'
import { changeFastRestore, findFastRestore, insertFastRestore } from '../fast-restores/store.ts'
import { formatFreezeId } from '../freezes/freeze.ts'
import { insertFreeze } from '../freezes/store.ts'
import { KeyUnusable } from '../kms/key-trouble.ts'
import type { Id } from '../lib/ids.ts'
import { insertCopy } from '../snapshot-copies/store.ts'
import { putTiering } from '../snapshot-tiers/store.ts'
import type { Tiering } from '../snapshot-tiers/tiering.ts'
import { setTier } from '../snapshots/life-store.ts'
import type { PublicAccess } from '../snapshots/public-access.ts'
import { setPublicAccess } from '../snapshots/settings-store.ts'
import {
  completeSnapshot,
  deleteSnapshotRow,
  failSnapshot,
  insertSnapshot,
} from '../snapshots/store.ts'
import { aPendingSnapshot, aSnapshot } from '../snapshots/testing.ts'
import { changeAttachmentState, insertAttachment, insertVolume } from '../volumes/store.ts'
import { aVolume } from '../volumes/testing.ts'
import { toldTo } from './testing.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const ebsArn = (type: string, id: string) => `arn:aws:ec2::us-east-1:${type}/${id}`
const snapshotArn = (id: string) => `arn:aws:ec2:us-east-1::snapshot/${id}`

async function open(context: TestContext, start: Start) {
  const db = await start(context)
  const write = (work: (tx: Tx) => Promise<unknown>) => transaction(db.writes, work)
  const told = async (type: string) =>
    (await toldTo(db, owner)).filter((one) => one['detail-type'] === type)
  return { db, write, told }
}

for (const [name, start] of Object.entries(databases)) {
  test(`several snapshots of one call are told of when the last of them ends, once (${name})`, async (context) => {
    const { db, write, told } = await open(context, start)
    const several = () => told('EBS Multi-Volume Snapshots Completion Status')
    const first = await takeTogether(db, 1, 'CreateSnapshots')
    await write((tx) => complete(tx, first[1].id))
    assert.deepEqual(await several(), [], 'one is on its way')
    await write((tx) => complete(tx, first[0].id))
    const [whole, ...more] = await several()
    assert.equal(more.length, 0)
    assert.deepEqual(
      whole?.resources,
      first.map(({ id }) => ebsArn('snapshot', id)),
    )
    assert.deepEqual(
      { ...whole?.detail, endTime: undefined },
      {
        event: 'createSnapshots',
        result: 'succeeded',
        cause: '',
        'request-id': '',
        startTime: '1970-01-01T00:00:00Z',
        endTime: undefined,
        snapshots: first.map(({ id, volumeId }) => ({
          snapshot_id: ebsArn('snapshot', id),
          source: ebsArn('volume', volumeId),
          status: 'completed',
        })),
      },
    )
    // Both end before anybody is told.
    const second = await takeTogether(db, 3, 'CreateSnapshots')
    await write((tx) => failSnapshot(tx, { id: second[0].id, message: 'the disk is gone' }))
    await write((tx) => complete(tx, second[1].id))
    const [, broken, ...others] = await several()
    assert.equal(others.length, 0)
    assert.partialDeepStrictEqual(broken?.detail, {
      result: 'failed',
      cause: `Snapshot ${second[0].id} is in status error`,
      snapshots: [{ status: 'error' }, { status: 'completed' }],
    })
    // An image is made of several, too.
    for (const { id } of await takeTogether(db, 5, 'CreateImage'))
      await write((tx) => complete(tx, id))
    assert.equal((await several()).length, 2)
    assert.equal((await told('EBS Snapshot Notification')).length, 6)
  })

  test(`fast restores are told of as they come and go (${name})`, async (context) => {
    const { db, write, told } = await open(context, start)
    const [kept, gone] = [aSnapshot(1), aSnapshot(2)]
    const made = (snapshotId: Id<'snapshot'>): FastRestore => ({
      ...owner,
      snapshotId,
      zone: 'us-east-1b',
      state: 'enabling',
      times: {},
    })
    await write(async (tx) => {
      for (const one of [kept, gone]) {
        await insertSnapshot(tx, one)
        await insertFastRestore(tx, made(one.id))
        // To ask again changes nothing.
        await insertFastRestore(tx, made(one.id))
      }
    })
    const go = async (state: FastRestore['state'], reason?: string) => {
      const seen = await findFastRestore(db.reads, made(kept.id))
      assert(seen)
      const to = { state, times: {}, ...(reason !== undefined && { reason }) }
      await write((tx) => changeFastRestore(tx, seen, to))
    }
    await go('optimizing')
    await go('disabled', endings.failed)
    await go('enabling')
    await write(async (tx) => {
      await deleteSnapshotRow(tx, gone.id)
    })
    const events = await told('EBS Fast Snapshot Restore State-change Notification')
    const byItself = 'Client.UserInitiated - Lifecycle state transition'
    const of = ({ id }: typeof kept) =>
      events.filter(({ resources }) => resources[0] === snapshotArn(id)).map(({ detail }) => detail)
    const detail = { 'snapshot-id': kept.id, zone: 'us-east-1b' }
    assert.deepEqual(of(kept), [
      { ...detail, state: 'enabling', message: 'Client.UserInitiated' },
      { ...detail, state: 'optimizing', message: byItself },
      { ...detail, state: 'disabled', message: endings.failed },
      { ...detail, state: 'enabling', message: 'Client.UserInitiated' },
    ])
    assert.deepEqual(of(gone).at(-1), {
      'snapshot-id': gone.id,
      zone: 'us-east-1b',
      state: 'disabled',
      message: endings.gone,
    })
    assert.equal(events.length, 6)
  })

  test(`the way of a snapshot into the archive and back is told (${name})`, async (context) => {
    const { write, told } = await open(context, start)
    const { id } = aSnapshot(1)
    const expiresAt = new Date('2026-12-01T00:00:00Z')
    const put = (changes: Partial<Tiering>, restoreExpiresAt?: Date) =>
      write(async (tx) => {
        await setTier(tx, { id, tier: 'standard', restoreExpiresAt })
        await putTiering(tx, {
          snapshotId: id,
          operation: 'archival',
          progress: 'in-progress',
          detail: '',
          startedAt: new Date('2026-11-23T10:00:00Z'),
          archivedAt: undefined,
          restoreDays: undefined,
          ...changes,
        })
      })
    await write((tx) => insertSnapshot(tx, aSnapshot(1)))
    await put({})
    await put({ progress: 'failed', detail: 'It is in use.' })
    await put({})
    await put({ progress: 'completed' })
    const restore = { operation: 'temporary-restore', restoreDays: 3 } as const
    await put(restore)
    await put({ ...restore, progress: 'completed' }, expiresAt)
    await put({ progress: 'completed' })
    await put({ operation: 'permanent-restore' })
    await put({ operation: 'permanent-restore', progress: 'completed' })
    const events = (await told('EBS Snapshot Notification')).slice(1)
    assert.deepEqual(
      events.map(({ detail: { event, result, cause } }) => [event, result, cause]),
      [
        ['archiveSnapshot', 'failed', 'It is in use.'],
        ['archiveSnapshot', 'succeeded', ''],
        ['restoreSnapshot', 'succeeded', ''],
        ['restoreExpiry', 'succeeded', ''],
        ['restoreSnapshot', 'succeeded', ''],
      ],
    )
    for (const { resources, account, detail } of events) {
      assert.deepEqual([account, resources], [owner.accountId, [snapshotArn(id)]])
      assert.partialDeepStrictEqual(detail, {
        snapshot_id: snapshotArn(id),
        startTime: '2026-11-23T10:00:00Z',
        'request-id': '',
      })
    }
    assert.deepEqual(
      events.map(({ detail }) => detail['restoreExpiryTime']),
      [undefined, undefined, '2026-12-01T00:00:00Z', undefined, undefined],
    )
  })

  test(`that public snapshots are blocked and no longer is told (${name})`, async (context) => {
    const { write, db } = await open(context, start)
    const wanted: readonly PublicAccess[] = [
      'unblocked',
      'block-all-sharing',
      'block-all-sharing',
      'block-new-sharing',
      'unblocked',
    ]
    for (const to of wanted) await write((tx) => setPublicAccess(tx, owner, to))
    const [on, off] = ['Enabled', 'Disabled'].map(
      (end) => `EBS Snapshot Block Public Access ${end}`,
    )
    const enabled = 'Block Public Access was successfully enabled in'
    assert.deepEqual(
      (await toldTo(db, owner)).map(({ 'detail-type': type, detail }) => [
        type,
        detail['SnapshotBlockPublicAccessState'],
        detail['message'],
      ]),
      [
        [on, 'block-all-sharing', `${enabled} 'block-all-sharing' mode`],
        [on, 'block-new-sharing', `${enabled} 'block-new-sharing' mode`],
        [off, 'unblocked', 'Block Public Access was successfully disabled'],
      ],
    )
  })
}

test('a copy says of its time what it was asked for, and one that fails nothing', async (context) => {
  const { write, told } = await open(context, databases.sqlite)
  const now = new Date()
  const copy = async (number: number, startedAt: Date, completionMinutes: number | undefined) => {
    const { id } = aPendingSnapshot(number)
    await write(async (tx) => {
      await insertSnapshot(tx, aPendingSnapshot(number, { startedAt }))
      await insertCopy(tx, {
        ...owner,
        id,
        sourceId: 'snap-00000001',
        sourceRegion: 'eu-west-1',
        manifest: aSnapshot(1).manifest,
        fullSizeBytes: 9,
        completionMinutes,
      })
    })
    return id
  }
  const late = new Date(now.getTime() - 3600_000)
  const [standard, inTime, missed, failed] = [
    await copy(1, now, undefined),
    await copy(2, late, 90),
    await copy(3, late, 15),
    await copy(4, late, 15),
  ]
  for (const id of [standard, inTime, missed]) await write((tx) => complete(tx, id))
  await write((tx) => failSnapshot(tx, { id: failed, message: 'The source is gone' }))
  const details = new Map(
    (await told('EBS Snapshot Notification')).map(({ detail }) => [detail['snapshot_id'], detail]),
  )
  const of = (id: string) => {
    const detail = details.get(ebsArn('snapshot', id))
    assert.equal(detail?.['event'], 'copySnapshot')
    return ['transferType', 'completionDurationStartTime', 'missedCompletionDurationCause'].map(
      (field) => detail?.[field],
    )
  }
  assert.deepEqual(of(standard), ['standard', undefined, undefined])
  assert.deepEqual(of(inTime), ['time-based', late.toISOString(), undefined])
  assert.match(String(of(missed)[2]), /not able to meet/)
  assert.deepEqual(of(failed), [undefined, undefined, undefined])
  assert.equal(details.get(ebsArn('snapshot', failed))?.['incremental'], undefined)
})

test('a volume that cannot be attached is told of with its key', async (context) => {
  const { db, write, told } = await open(context, databases.sqlite)
  const { id: instanceId } = await putInstance(db, owner, { imageId: newId('image') })
  const kmsKeyArn = 'arn:aws:kms:us-east-1:111111111111:key/one'
  const failure = new KeyUnusable(kmsKeyArn, 'is pending deletion.').message
  for (const [number, changes] of [{ kmsKeyArn }, {}, {}].entries()) {
    const volume = aVolume(number + 1, { state: 'in-use', ...changes })
    const { id: volumeId } = volume
    const attaching = { volumeId, from: 'attaching', to: 'detaching' } as const
    // The last one is detached because somebody asks for it.
    const why = [failure, 'there is no room', undefined][number]
    await write(async (tx) => {
      await insertVolume(tx, volume)
      await insertAttachment(tx, {
        volumeId,
        instanceId,
        device: `/dev/sd${number + 5}`,
        state: 'attaching',
        isDetachForced: false,
        deleteOnTermination: false,
        attachedAt: new Date(1),
      })
    })
    await write((tx) =>
      changeAttachmentState(tx, { ...attaching, ...(why !== undefined && { failure: why }) }),
    )
  }
  // The machine's own root is attached.
  const [, ...failed] = (await told('EBS Volume Notification')).filter(
    ({ detail }) => detail['event'] === 'attachVolume',
  )
  const arn = (number: number) =>
    `arn:aws:ec2:us-east-1:${owner.accountId}:volume/${aVolume(number).id}`
  assert.deepEqual(
    failed.map(({ resources, detail }) => [resources, detail['result'], detail['cause']]),
    [
      [[arn(1), kmsKeyArn], 'failed', `${kmsKeyArn} is pending deletion.`],
      [[arn(2)], 'failed', 'there is no room'],
    ],
  )
})

const complete = (tx: Tx, id: Id<'snapshot'>) => {
  const { manifest } = aSnapshot(1)
  const whole = { manifest, completedAt: new Date(), parentSnapshotId: undefined }
  return completeSnapshot(tx, { ...whole, id, fullSizeBytes: 9, addedBytes: 9 })
}

/** Two snapshots at the same moment, as a call has them taken that is in the trail. */
async function takeTogether(db: Connections, number: number, action: string) {
  const freezeId = formatFreezeId(Buffer.from([number]))
  const [one, other] = [number, number + 1].map((each) =>
    aPendingSnapshot(each, { freezeId, volumeId: aVolume(each).id }),
  )
  assert(one && other)
  await transaction(db.writes, async (tx) => {
    const wantedAt = new Date(1)
    const freeze = { id: freezeId, instanceId: undefined, withReboot: false, wantedAt } as const
    await insertFreeze(tx, { ...freeze, state: 'done' })
    for (const each of [one, other]) await insertSnapshot(tx, each)
    const call = { sequence: number, request_id: `request-${number}`, action, outcome: 'Success' }
    await tx
      .insertInto('audit_events')
      .values({ ...call, at_ms: 1 })
      .execute()
    await tx
      .insertInto('audit_resources')
      .values(
        [one, other].map(({ id }) => ({
          sequence: number,
          type: 'AWS::EC2::Snapshot',
          name: id as string,
        })),
      )
      .execute()
  })
  return [one, other] as const
}
