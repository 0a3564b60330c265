/** From a change of state to its delivery, on both databases, with receivers that are real. */
import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { runsOf } from '../../test/random.ts'
import { newId, putImage, putInstance, snapshotRow } from '../../test/rows.ts'
import { type Connections, transaction } from '../db/database.ts'
import { changeFastLaunch, insertFastLaunch } from '../fast-launch/store.ts'
import { changeInstanceState } from '../instances/store.ts'
import { changeImageState } from '../images/store.ts'
import { addLaunchPermissions } from '../images/permission-store.ts'
import { sealerOf } from '../lib/seal.ts'
import { Secret } from '../lib/secret.ts'
import { putClosed } from '../organizations/testing.ts'
import { type OutboundRules, parseOutboundRules } from '../outbound/rules.ts'
import { insertCopy } from '../snapshot-copies/store.ts'
import { addSnapshotPermissions } from '../snapshots/permission-store.ts'
import { completeSnapshot, failSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { changeVolumeState, deleteVolumeRow, insertVolume } from '../volumes/store.ts'
import { aVolume } from '../volumes/testing.ts'
import { deliveryReconciler } from './reconcile/deliver.ts'
import { eventRetentionReconciler } from './reconcile/retain.ts'
import {
  formatSecret,
  formatSubscriptionId,
  signatureOf,
  type Subscription,
} from './subscription.ts'
import {
  countOwed,
  deleteSubscription,
  insertSubscription,
  listSubscriptions,
} from './subscription-store.ts'
import type { Envelope } from './event.ts'
import { publishAll, settle, toldTo as allToldTo } from './testing.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }
const sharee = '222222222222'
const sealer = sealerOf(new Uint8Array(32), (count) => randomBytes(count))
const secret = new Secret(formatSecret(randomBytes(32)))

const toldTo = (db: Connections, accountId: string) => allToldTo(db, { ...owner, accountId })

for (const [name, start] of Object.entries(databases)) {
  test(`every change of the states of images and instances is told once and in order (${name})`, async (context) => {
    const db = await start(context)
    const states = ['available', 'failed', 'disabled', 'recycled', 'deregistered'] as const
    const machineStates = ['running', 'stopping', 'stopped', 'pending', 'shutting-down'] as const
    const told = (state: string) => (state === 'recycled' ? 'deregistered' : state)
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            of: fc.constantFrom('image', 'machine', 'nobody'),
            to: fc.nat(4),
            isRolledBack: fc.boolean(),
            isPublished: fc.boolean(),
          }),
          { maxLength: 12 },
        ),
        async (steps) => {
          const image = await putImage(db, owner, { name: newId('image'), state: 'pending' })
          const machine = await putInstance(db, owner, { imageId: image.id, state: 'pending' })
          const expected = { image: [] as string[], machine: ['pending'] }
          let [now, machineNow]: string[] = ['pending', 'pending']
          for (const { of, to, isRolledBack, isPublished } of steps) {
            const next = states[to] ?? 'failed'
            const nextOfMachine = machineStates[to] ?? 'stopped'
            const work = transaction(db.writes, async (tx) => {
              const at = new Date()
              if (of === 'image')
                await changeImageState(tx, {
                  id: image.id,
                  from: [now as 'available'],
                  to: next,
                  at,
                })
              if (of === 'machine') {
                const from = machineNow as 'running'
                await changeInstanceState(tx, { id: machine.id, from, to: nextOfMachine, at })
              }
              if (isRolledBack) throw new Error('on purpose')
            })
            await work.catch(() => {})
            if (!isRolledBack && of === 'image') {
              const isGone = now === 'recycled' && next === 'deregistered'
              if (now !== next && !isGone) expected.image.push(told(next))
              now = next
            }
            if (!isRolledBack && of === 'machine') {
              if (machineNow !== nextOfMachine) expected.machine.push(nextOfMachine)
              machineNow = nextOfMachine
            }
            if (isPublished) await publishAll(db)
          }
          const all = await toldTo(db, owner.accountId)
          const details = all.map(({ detail }) => detail)
          assert.deepEqual(
            details.filter((one) => one['ImageId'] === image.id).map((one) => one['State']),
            expected.image,
          )
          assert.deepEqual(
            details.filter((one) => one['instance-id'] === machine.id).map((one) => one['state']),
            expected.machine,
          )
          assert.equal(new Set(all.map(({ id }) => id)).size, all.length)
        },
      ),
      { numRuns: runsOf(6) },
    )
  })

  test(`fast launch is told of as it goes on (${name})`, async (context) => {
    const db = await start(context)
    const imageId = newId('image')
    const since = { stateSince: new Date(1), reason: 'Client.UserInitiated' }
    const settings = { targetCount: 1, parallelMax: 6, isForced: false }
    const made = { imageId, ...owner, ...since, ...settings, state: 'enabling' } as const
    await transaction(db.writes, async (tx) => {
      await insertFastLaunch(tx, made)
      // What is asked for again is no news.
      await changeFastLaunch(tx, made, { ...made, targetCount: 2 })
      await changeFastLaunch(tx, made, { ...since, state: 'enabled', reason: 'done' })
    })
    const told = await toldTo(db, owner.accountId)
    const resources = [`arn:aws:ec2:us-east-1:${owner.accountId}:image/${imageId}`]
    assert.deepEqual(
      told.map((one) => [one['detail-type'], one.resources, one.detail]),
      [
        ['enabling', 'Client.UserInitiated'],
        ['enabled', 'done'],
      ].map(([state, stateTransitionReason]) => [
        'EC2 Fast Launch State-change Notification',
        resources,
        { imageId, resourceType: 'snapshot', state, stateTransitionReason },
      ]),
    )
  })

  test(`events have AWS's shapes, in every account concerned (${name})`, async (context) => {
    const db = await start(context)
    const image = await putImage(db, owner, { name: 'shared' })
    const permission = { kind: 'user', grantee: sharee } as const
    const made = { ...snapshotRow(owner), completedAt: undefined }
    const taken = { ...made, id: newId('snapshot'), state: 'pending' } as const
    const copied = { ...made, id: newId('snapshot'), state: 'pending' } as const
    const failed = { ...made, id: newId('snapshot'), state: 'pending' } as const
    const volume = aVolume(1, { ...owner, state: 'creating' })
    const { id: volumeId } = volume
    const at = new Date()
    await transaction(db.writes, async (tx) => {
      await addLaunchPermissions(tx, image.id, [permission])
      for (const one of [taken, copied, failed]) await insertSnapshot(tx, one)
      await insertCopy(tx, {
        ...owner,
        id: copied.id,
        sourceId: taken.id,
        sourceRegion: 'eu-west-1',
        manifest: snapshotRow(owner).manifest,
        fullSizeBytes: 9,
        completionMinutes: undefined,
      })
      await insertVolume(tx, volume)
    })
    await transaction(db.writes, async (tx) => {
      const { manifest } = snapshotRow(owner)
      const whole = { manifest, completedAt: at, parentSnapshotId: undefined, fullSizeBytes: 9 }
      await completeSnapshot(tx, { ...whole, id: taken.id, addedBytes: 9 })
      await completeSnapshot(tx, { ...whole, id: copied.id, addedBytes: 0 })
      await failSnapshot(tx, { id: failed.id, message: 'the disk is gone' })
      await addSnapshotPermissions(tx, taken.id, [sharee, 'all'])
      await changeVolumeState(tx, { id: volumeId, from: 'creating', to: 'available' })
      await deleteVolumeRow(tx, volumeId)
      await changeImageState(tx, { id: image.id, from: ['available'], to: 'disabled', at })
    })
    const ours = await toldTo(db, owner.accountId)
    const of = (id: string) => ours.filter(({ resources }) => resources[0]?.endsWith(id))
    const [available, disabled] = of(image.id)
    assert.equal(available?.detail['State'], 'available')
    assert.deepEqual(
      { ...disabled, id: '', time: '' },
      {
        version: '0',
        id: '',
        'detail-type': 'EC2 AMI State Change',
        source: 'aws.ec2',
        account: owner.accountId,
        time: '',
        region: 'us-east-1',
        resources: [`arn:aws:ec2:us-east-1::image/${image.id}`],
        detail: { RequestId: '', ImageId: image.id, State: 'disabled', ErrorMessage: '' },
      },
    )
    assert.match(disabled?.time ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.match(disabled?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-/)
    const arn = (id: string) => `arn:aws:ec2::us-east-1:snapshot/${id}`
    assert.partialDeepStrictEqual(of(taken.id)[0]?.detail, {
      event: 'createSnapshot',
      result: 'succeeded',
      cause: '',
      'request-id': '',
      snapshot_id: arn(taken.id),
      source: 'arn:aws:ec2::us-east-1:volume/vol-ffffffff',
      startTime: '2026-11-23T10:00:00Z',
    })
    assert.partialDeepStrictEqual(of(copied.id)[0]?.detail, {
      event: 'copySnapshot',
      result: 'succeeded',
      source: `arn:aws:ec2::eu-west-1:snapshot/${taken.id}`,
      incremental: 'true',
      transferType: 'standard',
    })
    assert.partialDeepStrictEqual(of(failed.id)[0]?.detail, {
      result: 'failed',
      cause: 'the disk is gone',
    })
    assert.deepEqual(
      of(volumeId).map(({ detail }) => [detail['event'], detail['result']]),
      [
        ['createVolume', 'available'],
        ['deleteVolume', 'deleted'],
      ],
    )
    const theirs = await toldTo(db, sharee)
    assert.deepEqual(
      theirs.map(({ account, detail }) => [account, detail['event'] ?? detail['State']]),
      [
        [sharee, 'shareSnapshot'],
        [sharee, 'disabled'],
      ],
    )
    assert.equal(theirs[0]?.detail['source'], owner.accountId)
  })

  test(`a receiver that fails gets every event in the end, those of one resource in order (${name})`, async (context) => {
    const db = await start(context)
    let answer: RequestListener = (_request, response) => response.writeHead(500).end()
    const receiver = await receive(context, (request, response) => answer(request, response))
    const sub = await subscribe(db, receiver.url, {
      detail: { State: [{ 'anything-but': 'failed' }] },
    })
    let now = new Date()
    const signal = new AbortController().signal
    const reconciler = deliveryReconciler({
      db,
      sealer,
      rules: receiver.rules,
      now: () => now,
      signal,
    })
    const image = await putImage(db, owner, { name: 'first' })
    const change = (
      from: 'available' | 'disabled' | 'failed',
      to: 'available' | 'disabled' | 'failed',
    ) =>
      transaction(db.writes, (tx) =>
        changeImageState(tx, { id: image.id, from: [from], to, at: new Date() }),
      )
    await change('available', 'disabled')
    await change('disabled', 'failed')
    const other = await putImage(db, owner, { name: 'second' })
    await publishAll(db)

    const seen = () =>
      receiver.got.map(({ body }) => [body.detail['ImageId'], body.detail['State']])
    await settle(reconciler)
    assert.deepEqual(
      new Set(seen().map(String)),
      new Set([`${image.id},available`, `${other.id},available`]),
    )
    assert.deepEqual(await countOwed(db.reads, sub.id), {
      waiting: 3,
      dead: 0,
      reason: 'it answered 500',
    })
    assert.deepEqual(await reconciler.due(), [], 'it waits before it tries again')
    answer = (_request, response) => response.writeHead(302, { location: '/elsewhere' }).end()
    now = new Date(now.getTime() + 1000)
    await settle(reconciler)
    assert.match((await countOwed(db.reads, sub.id)).reason ?? '', /redirects are not followed/)
    assert(receiver.got.every(({ path }) => path === '/hook'))
    answer = (request) => request.socket.destroy()
    now = new Date(now.getTime() + 2000)
    await settle(reconciler)
    assert.match((await countOwed(db.reads, sub.id)).reason ?? '', /hang up/)
    answer = (_request, response) => response.writeHead(200).end('x'.repeat(1_000_000))
    receiver.got.length = 0
    now = new Date(now.getTime() + 4000)
    for (let round = 0; round < 3; round++) await settle(reconciler)
    assert.deepEqual(
      seen().filter(([id]) => id === image.id),
      [
        [image.id, 'available'],
        [image.id, 'disabled'],
      ],
    )
    assert.equal(seen().length, 3)
    assert.deepEqual(await countOwed(db.reads, sub.id), { waiting: 0, dead: 0, reason: undefined })
    for (const { headers, raw, body } of receiver.got) {
      const [id, timestamp] = [headers['webhook-id'], headers['webhook-timestamp']]
      assert.equal(id, body.id)
      const key = Buffer.from(secret.reveal().replace('whsec_', ''), 'base64')
      const expected = createHmac('sha256', key)
        .update([id, timestamp, raw].join('.'))
        .digest('base64')
      assert.equal(headers['webhook-signature'], `v1,${expected}`)
    }
    const refused = await subscribe(db, 'http://169.254.169.254/hook', undefined)
    await change('failed', 'available')
    await publishAll(db)
    for (let round = 0; round < 3; round++) await settle(reconciler)
    assert.match((await countOwed(db.reads, refused.id)).reason ?? '', /IMAGO_OUTBOUND_HOSTS/)
  })

  test(`nothing is delivered of an account that is closed, also not what it had to get (${name})`, async (context) => {
    const db = await start(context)
    const receiver = await receive(context, (_request, response) => response.writeHead(500).end())
    const sub = await subscribe(db, receiver.url, undefined)
    let now = new Date()
    const { signal } = new AbortController()
    const given = { db, sealer, rules: receiver.rules, signal }
    const reconciler = deliveryReconciler({ ...given, now: () => now })
    const putAnother = async () => {
      await putImage(db, owner, { name: newId('image') })
      await publishAll(db)
    }
    await putAnother()
    await settle(reconciler)
    await putAnother()
    const before = receiver.got.length
    assert(before > 0)
    assert((await countOwed(db.reads, sub.id)).waiting > before)
    await transaction(db.writes, (tx) => putClosed(tx, owner.accountId))
    await settle(reconciler)
    assert.equal((await countOwed(db.reads, sub.id)).waiting, 0, 'one that is not due goes, too')
    await putAnother()
    now = new Date(now.getTime() + 3600_000)
    await settle(reconciler)
    assert.deepEqual(await reconciler.due(), [])
    assert.equal(receiver.got.length, before)
    const [kept] = await listSubscriptions(db.reads, owner)
    assert.equal(kept?.id, sub.id)
  })

  test(`what cannot be delivered for a day is given up, and old events go (${name})`, async (context) => {
    const db = await start(context)
    const receiver = await receive(context, (_request, response) => response.writeHead(503).end())
    const sub = await subscribe(db, receiver.url, undefined)
    let now = new Date()
    const signal = new AbortController().signal
    const deliveries = deliveryReconciler({
      db,
      sealer,
      rules: receiver.rules,
      now: () => now,
      signal,
    })
    const retention = { days: 7, eventsMax: 2 }
    const retain = () => settle(eventRetentionReconciler({ db, now: () => now, retention }))
    for (let number = 0; number < 4; number++)
      await putImage(db, owner, { name: `image-${number}` })
    await publishAll(db)
    for (let round = 0; round < 4; round++) await settle(deliveries)
    const count = async () => (await toldTo(db, owner.accountId)).length
    await retain()
    assert.equal(await count(), 8, 'who waits for an event gets it, however many there are')
    now = new Date(now.getTime() + 24 * 3600 * 1000)
    await settle(deliveries)
    now = new Date(now.getTime() + 1000)
    await retain()
    const owed = await countOwed(db.reads, sub.id)
    assert.equal(owed.waiting, 0)
    assert.equal(owed.reason, 'it answered 503')
    assert.equal(await count(), 2)
    now = new Date(now.getTime() + 7 * 24 * 3600 * 1000)
    await retain()
    assert.equal(await count(), 1, 'the last one stays, so that no position comes twice')
    await transaction(db.writes, (tx) => deleteSubscription(tx, { ...owner, id: sub.id }))
    assert.deepEqual(await deliveries.due(), [])
  })
}

test('a signature is that of the standard', () => {
  // https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
  const known = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
  const message = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    timestamp: 1614265330,
    body: '{"test": 2432232314}',
  }
  assert.equal(signatureOf(known, message), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
})

async function subscribe(db: Connections, url: string, pattern: unknown): Promise<Subscription> {
  const id = formatSubscriptionId(randomBytes(9))
  const made = { id, ...owner, url, pattern, createdAt: new Date(), deliveredAt: undefined }
  await transaction(db.writes, (tx) => insertSubscription(tx, made, { secret, sealer }))
  return made
}

interface Got {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly raw: string
  readonly body: Envelope
}

async function receive(context: TestContext, listener: RequestListener) {
  const got: Got[] = []
  const server = createServer((request, response) => {
    let raw = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (raw += chunk))
    request.on('end', () => {
      const { url: path = '', headers } = request
      got.push({ path, headers, raw, body: JSON.parse(raw) as Envelope })
      listener(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const rules = parseOutboundRules('127.0.0.1') as OutboundRules
  return { got, rules, url: `http://127.0.0.1:${port}/hook` }
}
