/** What was called, by whom, and what came of it: CloudTrail's LookupEvents through its own client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CloudTrailClient,
  type Event,
  LookupEventsCommand,
  type LookupEventsCommandInput,
} from '@aws-sdk/client-cloudtrail'
import {
  CreateKeyPairCommand,
  DeleteVolumeCommand,
  DescribeImagesCommand,
  CreateVolumeCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2'
import { verifyTrails } from '../src/audit/verify.ts'
import { transaction } from '../src/db/database.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { databases } from './databases.ts'
import { snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const sharee = '222222222222'

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`an account finds what was called, and what others did with what it shared (${database})`, async (context) => {
    const system = await startSystem(context, { isIdle: true, database })
    const { ec2, db } = system
    const ours = new CloudTrailClient(system.settingsWith())
    const theirs = new CloudTrailClient(await system.settingsOf(sharee))
    context.after(() => [ours, theirs].forEach((client) => client.destroy()))
    const lookUp = async (client: CloudTrailClient, input: LookupEventsCommandInput = {}) =>
      (await client.send(new LookupEventsCommand(input))).Events ?? []
    const by = (AttributeKey: string, AttributeValue: string) =>
      ({ LookupAttributes: [{ AttributeKey, AttributeValue }] }) as LookupEventsCommandInput
    const names = (events: readonly Event[]) => events.map(({ EventName }) => EventName)

    const snapshot = snapshotRow({ accountId, region })
    await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
    const SnapshotId = snapshot.id
    const AvailabilityZone = `${region}a`
    const share = { Attribute: 'createVolumePermission', OperationType: 'add' } as const
    await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, ...share, UserIds: [sharee] }))
    const other = await system.client(sharee)
    const { VolumeId } = await other.send(new CreateVolumeCommand({ SnapshotId, AvailabilityZone }))
    assert(VolumeId)

    const [used, shared, ...none] = await lookUp(ours, by('ResourceName', SnapshotId))
    assert.deepEqual(names([used, shared].filter((event) => event !== undefined)), [
      'CreateVolume',
      'ModifySnapshotAttribute',
    ])
    assert.equal(none.length, 0)
    const record = JSON.parse(used?.CloudTrailEvent ?? '') as Record<string, unknown>
    const identity = record['userIdentity'] as Record<string, unknown>
    assert.equal(identity['accountId'], sharee)
    assert.equal(record['recipientAccountId'], accountId)
    assert.equal(record['eventSource'], 'ec2.amazonaws.com')
    assert.equal(record['sourceIPAddress'], '127.0.0.1')
    assert.match(String(record['userAgent']), /aws-sdk-js/)
    assert.equal(record['readOnly'], false)
    assert.partialDeepStrictEqual(record['requestParameters'], { SnapshotId, AvailabilityZone })
    assert.deepEqual(
      used?.Resources?.map(({ ResourceName }) => ResourceName),
      [SnapshotId, VolumeId].sort(),
    )
    assert.deepEqual(names(await lookUp(theirs, by('ResourceName', VolumeId))), ['CreateVolume'])
    assert.deepEqual(await lookUp(theirs, by('EventName', 'ModifySnapshotAttribute')), [])

    await assert.rejects(ec2.send(new DeleteVolumeCommand({ VolumeId })), {
      name: 'InvalidVolume.NotFound',
    })
    const refused = await system.until('the refusal in the trail', async () => {
      const [event] = await lookUp(ours, by('EventName', 'DeleteVolume'))
      return event && (JSON.parse(event.CloudTrailEvent ?? '') as Record<string, unknown>)
    })
    assert.equal(refused['errorCode'], 'InvalidVolume.NotFound')

    const forger = system.clientWith({ secret: 'wrong' })
    await assert.rejects(forger.send(new DescribeImagesCommand({})))
    await system.until('the forgery in the trail', async () => {
      const verified = await Array.fromAsync(verifyTrails(db.reads))
      return verified.find((trail) => trail.accountId === '')?.events === 1
    })
    for await (const { accountId: id, brokenAt } of verifyTrails(db.reads))
      assert.equal(brokenAt, undefined, id)
  })
}

test('what is secret is in no trail', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { ec2 } = system
  const client = new CloudTrailClient(system.settingsWith())
  context.after(() => client.destroy())
  const { KeyMaterial = '' } = await ec2.send(new CreateKeyPairCommand({ KeyName: 'of-ada' }))
  const { Events = [] } = await system.until('the events', async () => {
    const found = await client.send(new LookupEventsCommand({}))
    return (found.Events ?? []).some(({ EventName }) => EventName === 'CreateKeyPair') && found
  })
  const all = Events.map(({ CloudTrailEvent }) => CloudTrailEvent ?? '')
  assert(all.some((text) => text.includes('of-ada')))
  const body = KeyMaterial.split('\n').slice(1, 3)
  assert(body.every((line) => line.length > 20 && !all.join().includes(line)))
})

test('a lookup has pages, and refuses what it does not understand', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const client = new CloudTrailClient(system.settingsWith())
  context.after(() => client.destroy())
  const send = (input: object) =>
    client.send(new LookupEventsCommand(input as LookupEventsCommandInput))
  const KeyName = (number: number) => `key-${number}`
  for (let number = 0; number < 5; number++)
    await system.ec2.send(
      new CreateKeyPairCommand({ KeyName: KeyName(number), KeyType: 'ed25519' }),
    )
  const query = {
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'CreateKeyPair' }],
    MaxResults: 2,
  }
  const seen: string[] = []
  let NextToken: string | undefined
  do {
    const found = await send({ ...query, NextToken })
    assert((found.Events?.length ?? 0) <= 2)
    for (const { CloudTrailEvent = '' } of found.Events ?? [])
      seen.push(/"KeyName":"(key-\d)"/.exec(CloudTrailEvent)?.[1] ?? '')
    NextToken = found.NextToken
  } while (NextToken)
  assert.deepEqual(seen, [4, 3, 2, 1, 0].map(KeyName))

  const { NextToken: token } = await send(query)
  assert(token)
  const refusals = [
    [{ MaxResults: 51 }, 'InvalidMaxResultsException'],
    [{ MaxResults: 0 }, 'InvalidMaxResultsException'],
    [{ NextToken: 'x' }, 'InvalidNextTokenException'],
    [{ NextToken: token }, 'InvalidNextTokenException'],
    [{ StartTime: new Date(2000), EndTime: new Date(1000) }, 'InvalidTimeRangeException'],
    [{ EventCategory: 'insight' }, 'InvalidEventCategoryException'],
    [
      { LookupAttributes: [{ AttributeKey: 'Color', AttributeValue: 'red' }] },
      'InvalidLookupAttributesException',
    ],
    [
      { LookupAttributes: [{ AttributeKey: 'ReadOnly', AttributeValue: 'maybe' }] },
      'InvalidLookupAttributesException',
    ],
    [
      { LookupAttributes: [...query.LookupAttributes, ...query.LookupAttributes] },
      'InvalidLookupAttributesException',
    ],
  ] as const
  for (const [input, name] of refusals) await assert.rejects(send(input), { name })
})
