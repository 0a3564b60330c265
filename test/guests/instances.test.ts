import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import {
  GetConsoleOutputCommand,
  GetConsoleScreenshotCommand,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMetadataOptionsCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { decode } from 'jpeg-js'
import { lastFirst } from '../last-first.ts'
import { accountId, region } from '../system.ts'
import type { Guest } from './guest.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

const opened = lastFirst()
let world: World
/** One machine goes through its life, from test to test. */
let guest: Guest

before(async () => {
  world = await startWorld(opened)
  const script = '#!/bin/sh\necho "ran as $(hostname)" >>/root/runs\n'
  guest = await world.launch({
    UserData: Buffer.from(script).toString('base64'),
    MetadataOptions: { InstanceMetadataTags: 'enabled', HttpPutResponseHopLimit: 2 },
    TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'role', Value: 'web' }] }],
  })
  await guest.ready()
})
after(opened.end)

const service = 'http://169.254.169.254/latest'
const get = (path: string, token?: string) =>
  guest.run(
    `wget -q -O - ${token ? `--header 'X-aws-ec2-metadata-token: ${token}'` : ''} ${service}/${path}`,
  )

/** A session token; busybox's wget cannot send a PUT. */
async function fetchToken(seconds: number): Promise<string> {
  const request = [
    'PUT /latest/api/token HTTP/1.0',
    'Host: 169.254.169.254',
    `X-aws-ec2-metadata-token-ttl-seconds: ${seconds}`,
    '\\r\\n',
  ].join('\\r\\n')
  return await guest.run(`printf '${request}' | nc 169.254.169.254 80 | tail -n 1`)
}

test('a guest reads who it is from its metadata', async () => {
  const found = await describeInstance(world.ec2, guest.id)
  assert.equal(await get('meta-data/instance-id'), guest.id)
  assert.equal(await get('meta-data/ami-id'), found.ImageId)
  assert.equal(await get('meta-data/local-ipv4'), found.PrivateIpAddress)
  assert.equal(await get('meta-data/public-ipv4'), found.PublicIpAddress)
  assert.equal(await get('meta-data/placement/region'), region)
  assert.equal(await get('meta-data/tags/instance/role'), 'web')
  assert.equal(await get('meta-data/block-device-mapping/root'), '/dev/xvda')
  const [mac] = found.NetworkInterfaces ?? []
  assert(mac?.MacAddress)
  assert.equal(await get('meta-data/network/interfaces/macs/'), `${mac.MacAddress}/`)
  assert.equal(
    await get(`meta-data/network/interfaces/macs/${mac.MacAddress}/subnet-id`),
    found.SubnetId,
  )
  assert.match(await get('meta-data/public-keys/0/openssh-key'), /^ssh-ed25519 /)
  const document = JSON.parse(await get('dynamic/instance-identity/document')) as object
  const expected = { accountId, region, instanceId: guest.id, imageId: found.ImageId }
  assert.deepEqual({ ...document, ...expected }, document)
  assert.equal(await guest.run('hostname'), found.PrivateDnsName)
})

test('where tokens are required, metadata is not told without one', async () => {
  const token = await fetchToken(60)
  assert.equal(await get('meta-data/instance-id', token), guest.id)
  const options = { InstanceId: guest.id, HttpTokens: 'required' } as const
  await world.ec2.send(new ModifyInstanceMetadataOptionsCommand(options))
  const refused = await guest.try(`wget -O - ${service}/meta-data/instance-id`)
  assert.match(refused.stderr, /401/)
  assert.equal(await get('meta-data/instance-id', token), guest.id)
  const forged = await guest.try(
    `wget -O - --header 'X-aws-ec2-metadata-token: forged' ${service}/meta-data/instance-id`,
  )
  assert.match(forged.stderr, /401/)
})

test('a metadata service that is disabled answers nothing', async () => {
  const options = { InstanceId: guest.id, HttpEndpoint: 'disabled' } as const
  await world.ec2.send(new ModifyInstanceMetadataOptionsCommand(options))
  const refused = await guest.try(`wget -O - ${service}/meta-data/instance-id`)
  assert.match(refused.stderr, /403/)
  await world.ec2.send(
    new ModifyInstanceMetadataOptionsCommand({
      InstanceId: guest.id,
      HttpEndpoint: 'enabled',
      HttpTokens: 'optional',
    }),
  )
  assert.equal(await get('meta-data/instance-id'), guest.id)
})

test('the console is read and seen', async () => {
  const { Output } = await world.ec2.send(
    new GetConsoleOutputCommand({ InstanceId: guest.id, Latest: true }),
  )
  const text = Buffer.from(Output ?? '', 'base64').toString()
  assert.match(text, new RegExp(`Imago tiny is up: ${guest.id}`))
  const { ImageData } = await world.ec2.send(
    new GetConsoleScreenshotCommand({ InstanceId: guest.id }),
  )
  const { width, height } = decode(Buffer.from(ImageData ?? '', 'base64'))
  assert(width >= 640 && height >= 400)
})

const bootId = () => guest.run('cat /proc/sys/kernel/random/boot_id')

test('a reboot starts the guest anew and keeps its disk, and user data is not run again', async () => {
  await guest.run('echo kept >/root/kept')
  const before = await bootId()
  await world.ec2.send(new RebootInstancesCommand({ InstanceIds: [guest.id] }))
  await eventually('another boot', async () => {
    const { code, stdout } = await guest.try('cat /proc/sys/kernel/random/boot_id')
    return code === 0 && stdout.trim() !== before
  })
  assert.equal(await guest.run('cat /root/kept'), 'kept')
  assert.match(await guest.run('cat /root/runs'), /^ran as ip-[^\n]*$/)
  assert.equal((await describeInstance(world.ec2, guest.id)).State?.Name, 'running')
})

test('a stopped instance is started again with its disk and its private address', async () => {
  const before = await describeInstance(world.ec2, guest.id)
  const InstanceIds = [guest.id]
  const { StoppingInstances } = await world.ec2.send(new StopInstancesCommand({ InstanceIds }))
  assert.equal(StoppingInstances?.[0]?.CurrentState?.Name, 'stopping')
  const stopped = await world.untilState(guest.id, 'stopped')
  assert.equal(stopped.StateReason?.Code, 'Client.UserInitiatedShutdown')
  assert.equal(stopped.PublicIpAddress, undefined)
  await world.ec2.send(new StartInstancesCommand({ InstanceIds }))
  await guest.ready()
  const after = await describeInstance(world.ec2, guest.id)
  assert.equal(after.PrivateIpAddress, before.PrivateIpAddress)
  assert.equal(await guest.run('cat /root/kept'), 'kept')
  assert.match(await guest.run('cat /root/runs'), /^ran as ip-[^\n]*$/)
})

test('a guest that does not listen is stopped by force', async () => {
  await guest.run('sync; kill -STOP $(pidof acpid)')
  const InstanceIds = [guest.id]
  await world.ec2.send(new StopInstancesCommand({ InstanceIds }))
  const asked = await describeInstance(world.ec2, guest.id)
  assert.equal(asked.State?.Name, 'stopping')
  await world.ec2.send(new StopInstancesCommand({ InstanceIds, Force: true }))
  await world.untilState(guest.id, 'stopped')
  await world.ec2.send(new StartInstancesCommand({ InstanceIds }))
  await guest.ready()
  assert.equal(await guest.run('cat /root/kept'), 'kept')
})

test('a protected instance is not terminated', async () => {
  const protect = (Value: boolean) =>
    world.ec2.send(
      new ModifyInstanceAttributeCommand({
        InstanceId: guest.id,
        DisableApiTermination: { Value },
      }),
    )
  await protect(true)
  await assert.rejects(world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [guest.id] })), {
    name: 'OperationNotPermitted',
  })
  assert.equal((await describeInstance(world.ec2, guest.id)).State?.Name, 'running')
  await protect(false)
})

test('a guest that powers itself off is stopped, or terminated where that is wished', async () => {
  await guest.run('poweroff')
  const stopped = await world.untilState(guest.id, 'stopped')
  assert.equal(stopped.StateReason?.Code, 'Client.InstanceInitiatedShutdown')
  await world.ec2.send(
    new ModifyInstanceAttributeCommand({
      InstanceId: guest.id,
      InstanceInitiatedShutdownBehavior: { Value: 'terminate' },
    }),
  )
  await world.ec2.send(new StartInstancesCommand({ InstanceIds: [guest.id] }))
  await guest.ready()
  await guest.run('poweroff')
  const over = await world.untilState(guest.id, 'terminated')
  assert.equal(over.StateReason?.Code, 'Client.InstanceInitiatedShutdown')
  assert.equal(over.BlockDeviceMappings?.length, 0)
})
