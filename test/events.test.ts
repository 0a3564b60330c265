/** What becomes of volumes, snapshots and images is told: to webhooks and to streams, whatever happens meanwhile. */
import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeVolumesCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
} from '@aws-sdk/client-ec2'
import { callImago, type Fields } from '../src/cli/imago-client.ts'
import { open } from '../src/cli/signed-request.ts'
import type { Envelope } from '../src/events/event.ts'
import { Secret } from '../src/lib/secret.ts'
import { commandLine } from './command.ts'
import { KillableServer } from './killable-server.ts'
import { newId, putInstance } from './rows.ts'
import { accountId, type ClientSettings, region, startSystem } from './system.ts'

const subscriptions = '/imago/v1/event-subscriptions'
const AvailabilityZone = `${region}a`
const sharee = '222222222222'

const accessOf = ({ endpoint, credentials }: ClientSettings) => ({
  endpoint,
  region,
  key: { id: credentials.accessKeyId, secret: new Secret(credentials.secretAccessKey) },
})
type Access = ReturnType<typeof accessOf>

test('the life of an image is told to a webhook and to streams, in both accounts', async (context) => {
  const system = await startSystem(context)
  const { ec2 } = system
  const ours = accessOf(system.settingsWith())
  const theirs = accessOf(await system.settingsOf(sharee))
  const receiver = await receive(context)
  const made = await callImago(ours, 'POST', subscriptions, {
    url: receiver.url,
    pattern: { 'detail-type': ['EC2 AMI State Change'] },
  })
  assert.match(String(made['secret']), /^whsec_/)
  const stream = await read(context, theirs)
  const own = await read(context, ours)

  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 }))
  const wanted = (events: readonly Envelope[], event: string, result = 'succeeded') =>
    events.find(({ detail }) => detail['event'] === event && detail['result'] === result)
  const created = await system.until('the volume', async () =>
    wanted(own.events(), 'createVolume', 'available'),
  )
  assert.match(String(created.detail['request-id']), /^[0-9a-f-]{36}$/)
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  await system.until('the snapshot', async () => wanted(own.events(), 'createSnapshot'))
  const stopped = { imageId: newId('image'), state: 'stopped' } as const
  const { id: InstanceId } = await putInstance(system.db, { accountId, region }, stopped)
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: '/dev/sdf' }))
  await system.until('it is attached', async () =>
    own
      .events()
      .find(
        ({ resources: [one], detail }) =>
          one === created.resources[0] && detail['event'] === 'attachVolume',
      ),
  )
  const InstanceSpecification = { InstanceId, ExcludeBootVolume: true }
  const { Snapshots: [several] = [] } = await ec2.send(
    new CreateSnapshotsCommand({ InstanceSpecification }),
  )
  const taken = await system.until('several', async () => wanted(own.events(), 'createSnapshots'))
  const arn = `arn:aws:ec2::${region}:snapshot/${several?.SnapshotId}`
  assert.deepEqual(taken.resources, [arn])
  const share = { Attribute: 'createVolumePermission', OperationType: 'add' } as const
  await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, ...share, UserIds: [sharee] }))
  const shared = await system.until('the share', async () =>
    wanted(stream.events(), 'shareSnapshot'),
  )
  assert.equal(shared.account, sharee)
  const registered = await ec2.send(
    new RegisterImageCommand({
      Name: 'told',
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    }),
  )
  const { ImageId } = registered
  const requestId = registered.$metadata.requestId
  await ec2.send(new DeregisterImageCommand({ ImageId }))
  const told = await system.until('the image', async () => receiver.got.length >= 2 && receiver.got)
  assert.deepEqual(
    told.map(({ detail }) => [detail['ImageId'], detail['State']]),
    [
      [ImageId, 'available'],
      [ImageId, 'deregistered'],
    ],
  )
  assert.equal(told[0]?.detail['RequestId'], requestId)
  assert(stream.events().every(({ account }) => account === sharee))

  const known = own.positions()
  const again = await read(context, ours, known[0])
  await system.until('what comes after', async () => again.positions().length >= known.length - 1)
  assert.deepEqual(again.positions().slice(0, known.length - 1), known.slice(1))
  const from = await read(context, ours, '0')
  await system.until('all', async () => from.positions().length >= known.length)

  const streams = await Promise.all(
    [1, 2].map(() => open(ours, request(), AbortSignal.timeout(5000))),
  )
  assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200, 503]))
  for (const each of streams) await each.body?.cancel()

  const powerless = accessOf(await system.settingsOf('333333333333', []))
  const forged = { ...ours, key: { ...ours.key, secret: new Secret('wrong') } }
  for (const access of [powerless, forged]) {
    const refused = await open(access, request(), AbortSignal.timeout(5000))
    assert.equal(refused.status, 403)
    await refused.body?.cancel()
  }

  const [kept] = (await callImago(ours, 'GET', subscriptions))['subscriptions'] as Fields[]
  assert.equal(kept?.['secret'], undefined)
  assert.equal(kept?.['waiting'], 0)
  assert.deepEqual(await callImago(theirs, 'GET', subscriptions), { subscriptions: [] })
  const path = `${subscriptions}/${String(made['id'])}`
  await assert.rejects(callImago(theirs, 'DELETE', path), /InvalidID/)
  await callImago(ours, 'DELETE', path)
  await assert.rejects(callImago(ours, 'DELETE', path), /InvalidID/)
})

test('a subscription to what may not be called, or with what is no pattern, is refused', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const access = accessOf(system.settingsWith())
  const refused: readonly (readonly [object, RegExp])[] = [
    [{}, /MissingParameter/],
    [{ url: 7 }, /https URL/],
    [{ url: 'ftp://example.com/' }, /only https and http/],
    [{ url: 'http://example.com/hook' }, /without TLS/],
    [{ url: 'https://name:word@example.com/' }, /name, password/],
    [{ url: 'https://10.0.0.1/hook' }, /IMAGO_OUTBOUND_HOSTS/],
    [{ url: 'https://[::1]/hook' }, /IMAGO_OUTBOUND_HOSTS/],
    [{ url: 'https://169.254.169.254/' }, /IMAGO_OUTBOUND_HOSTS/],
    [{ url: 'https://example.com/', pattern: { source: [{ wildcard: '*' }] } }, /wildcard is not/],
  ]
  for (const [body, message] of refused)
    await assert.rejects(callImago(access, 'POST', subscriptions, body), message)
  for (let number = 0; number < 20; number++)
    await callImago(access, 'POST', subscriptions, { url: 'https://example.com/' })
  const more = callImago(access, 'POST', subscriptions, { url: 'https://example.com/' })
  await assert.rejects(more, /ResourceLimitExceeded/)
})

test('nothing is lost when the service is killed before it has told', async (context) => {
  const server = await KillableServer.make(context)
  const receiver = await receive(context)
  const env = { IMAGO_OUTBOUND_HOSTS: '127.0.0.1' }
  await server.start({ env })
  await server.imago('POST', subscriptions, { url: receiver.url })
  // After the commit of the call, and before that of its event.
  for (const death of [
    { name: 'after commit', nth: 1 },
    { name: 'before commit', nth: 3 },
  ]) {
    server.dieAt(death)
    await server.ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 })).catch(() => {})
    await server.died()
    await server.start({ env })
  }
  const { Volumes = [] } = await server.ec2.send(new DescribeVolumesCommand({}))
  const known = Volumes.flatMap(({ VolumeId }) => VolumeId ?? [])
  const told = (id: string) =>
    receiver.got
      .filter(({ resources }) => resources[0]?.endsWith(id))
      .map(({ detail }) => detail['event'])
  for (const VolumeId of known) {
    await server.until(`the birth of ${VolumeId}`, async () => told(VolumeId).length > 0)
    await server.ec2.send(new DeleteVolumeCommand({ VolumeId }))
  }
  for (const id of known) {
    await server.until(`the end of ${id}`, async () => told(id).includes('deleteVolume'))
    // Told again at the most, and never in another order.
    assert.deepEqual([...new Set(told(id))], ['createVolume', 'deleteVolume'])
  }
  const ids = new Set(receiver.got.map(({ id }) => id))
  assert(ids.size >= 2 * known.length)
  assert.equal(known.length, 2)
})

test('events are subscribed to and followed from the command line', async (context) => {
  const imago = await commandLine(context, { IMAGO_OUTBOUND_HOSTS: 'public,127.0.0.1' })
  const receiver = await receive(context)
  const service = imago.serve()
  await service.answers()
  const made = await imago.run([
    'events',
    'subscribe',
    receiver.url,
    '--pattern',
    '{"detail": {"event": ["createVolume"]}}',
  ])
  const [, id = ''] = /^(evsub-[0-9a-f]{17}) {2}http/.exec(made.output) ?? []
  assert.match(made.output, /shown this once: whsec_/)
  assert(id, made.errors)
  const args = ['ec2', 'create-volume', '--size', '1', '--availability-zone', AvailabilityZone]
  const created = await imago.run(['aws', ...args])
  assert.equal(created.code, 0, created.errors)
  const pattern = ['--pattern', '{"detail": {"event": ["createVolume"]}}']
  const tailed = await imago.run(['events', 'tail', '--all', ...pattern], { until: /\n/ })
  assert.equal(tailed.code, 0, tailed.errors)
  const [told] = tailed.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Envelope)
  assert.equal(told?.detail['event'], 'createVolume')
  const list = await imago.run(['events', 'list'])
  assert.match(list.output, new RegExp(`^${id} .*createVolume.*\n  last delivered \\d.*0 waiting`))
  assert.equal(receiver.got.length, 1)
  assert.equal((await imago.run(['events', 'unsubscribe', id])).code, 0)
  assert.equal((await imago.run(['events', 'list'])).output, '')
  const bad = await imago.run(['events', 'subscribe', receiver.url, '--pattern', '{'])
  assert.match(bad.errors, /The pattern is not JSON/)
})

const request = (after?: string) =>
  ({
    service: 'imago',
    method: 'GET',
    path: '/imago/v1/events',
    contentType: 'application/json',
    body: '',
    headers: after === undefined ? {} : { 'last-event-id': after },
  }) as const

/** Reads a stream until the test is over. */
async function read(context: TestContext, access: Access, after?: string) {
  const end = new AbortController()
  const response = await open(access, request(after), end.signal)
  assert.equal(response.status, 200)
  assert(response.body)
  let text = ''
  const reading = (async () => {
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? [])
      text += chunk
  })().catch(() => {})
  context.after(async () => {
    end.abort()
    await reading
  })
  const messages = () => [...text.matchAll(/^id: (\d+)\ndata: (.+)\n\n/gm)]
  return {
    events: () => messages().map(([, , data = '']) => JSON.parse(data) as Envelope),
    positions: () => messages().map(([, id = '']) => id),
  }
}

async function receive(context: TestContext) {
  const got: Envelope[] = []
  const listener: RequestListener = (incoming, response) => {
    let body = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    incoming.on('end', () => {
      got.push(JSON.parse(body) as Envelope)
      response.writeHead(204).end()
    })
  }
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
}
