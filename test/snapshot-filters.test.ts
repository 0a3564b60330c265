/** Every filter of DescribeSnapshots, its fields and its pages, through a real client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateTagsCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  type DescribeSnapshotsCommandInput,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const owner = { accountId, region }

test('snapshots are found by all that is known of them', async (context) => {
  const { ec2, db } = await startSystem(context, { isIdle: true })
  const wanted = snapshotRow(owner, {
    volumeId: 'vol-0123456789abcdef0',
    volumeSizeGiB: 7,
    description: 'nightly (db)',
    startedAt: new Date('2026-01-02T03:04:05.678Z'),
    completedAt: new Date('2026-01-02T03:05:05Z'),
    fullSizeBytes: 1_048_576,
  })
  const { completedAt: _, ...taken } = snapshotRow(owner, { progressPercent: 42 })
  const pending = {
    ...taken,
    state: 'pending',
    manifest: undefined,
    freezeId: undefined,
    layer: undefined,
  } as const
  await transaction(db.writes, async (tx) => {
    await insertSnapshot(tx, wanted)
    await insertSnapshot(tx, pending)
    for (let more = 0; more < 5; more++) await insertSnapshot(tx, snapshotRow(owner))
  })
  const Tags = [{ Key: 'stage', Value: 'prod' }]
  await ec2.send(new CreateTagsCommand({ Resources: [wanted.id], Tags }))
  const describe = async (input: DescribeSnapshotsCommandInput) =>
    await ec2.send(new DescribeSnapshotsCommand(input))
  const find = async (Name: string, ...Values: string[]) => {
    const { Snapshots = [] } = await describe({ Filters: [{ Name, Values }] })
    return Snapshots.map(({ SnapshotId }) => SnapshotId)
  }

  for (const [name, value] of [
    ['completion-time', '2026-01-02T03:05:*'],
    ['description', 'nightly*'],
    ['snapshot-id', wanted.id],
    ['start-time', '2026-01-02T03:04:05.678Z'],
    ['tag-key', 'stage'],
    ['tag:stage', 'pr?d'],
    ['volume-id', 'vol-0123456789abcdef0'],
    ['volume-size', '7'],
  ] as const) {
    assert.deepEqual(await find(name, value), [wanted.id], name)
  }
  assert.deepEqual(await find('progress', '42%'), [pending.id])
  assert.deepEqual(await find('status', 'pending'), [pending.id])
  for (const [name, value] of [
    ['encrypted', 'false'],
    ['owner-id', accountId],
    ['storage-tier', 'standard'],
  ] as const) {
    assert.equal((await find(name, value)).length, 7, name)
  }
  for (const [name, value] of [
    ['encrypted', 'true'],
    ['owner-alias', 'amazon'],
    ['storage-tier', 'archive'],
    ['transfer-type', 'standard'],
  ] as const) {
    assert.deepEqual(await find(name, value), [], name)
  }
  await assert.rejects(find('colour', 'red'), { name: 'InvalidParameterValue' })

  const [shown] = (await describe({ SnapshotIds: [wanted.id] })).Snapshots ?? []
  assert.deepEqual(
    [shown?.StorageTier, shown?.FullSnapshotSizeInBytes, shown?.Progress, shown?.CompletionTime],
    ['standard', 1_048_576, '100%', wanted.completedAt],
  )
  assert.deepEqual([shown?.Encrypted, shown?.RestoreExpiryTime], [false, undefined])
  const { ProductCodes } = await ec2.send(
    new DescribeSnapshotAttributeCommand({ SnapshotId: wanted.id, Attribute: 'productCodes' }),
  )
  assert.deepEqual(ProductCodes, [])

  const seen: unknown[] = []
  let NextToken: string | undefined
  do {
    const page = await describe({ OwnerIds: ['self'], MaxResults: 5, NextToken })
    seen.push(...(page.Snapshots ?? []).map(({ SnapshotId }) => SnapshotId))
    NextToken = page.NextToken
  } while (NextToken)
  assert.equal(new Set(seen).size, 7)
  await assert.rejects(describe({ MaxResults: 4 }), { name: 'InvalidParameterValue' })
  await assert.rejects(describe({ SnapshotIds: [wanted.id], MaxResults: 5 }), {
    name: 'InvalidParameterCombination',
  })
  await assert.rejects(describe({ NextToken: 'x' }), { name: 'InvalidNextToken' })
})
