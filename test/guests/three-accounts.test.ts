/** One image through two Regions and three accounts, with a real guest at either end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CopyImageCommand,
  CreateImageCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  type DescribeImagesCommandInput,
  DisableImageCommand,
  type EC2Client,
  EnableImageCommand,
  EnableImageDeprecationCommand,
  GetConsoleOutputCommand,
  ListImagesInRecycleBinCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RestoreImageFromRecycleBinCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { RbinClient, rbinCommands } from '../rbin-sdk.ts'
import { describeInstance, eventually, startWorld } from './world.ts'

const west = 'us-west-2'
const [second, third] = ['222222222222', '333333333333'] as const
const notFound = { name: 'InvalidAMIID.NotFound' }
const refused = { name: 'AuthFailure' }

test('an image is shared, copied, shared on, deprecated, disabled, deregistered, restored and launched', async (context) => {
  const world = await startWorld(context)
  const { system, ec2: maker } = world
  const inWest = async (account: string) => ({
    ...(await system.settingsOf(account)),
    region: west,
  })
  const secondInWest = await inWest(second)
  const clientIn = ({ credentials }: typeof secondInWest, region: string) =>
    system.clientWith({
      id: credentials.accessKeyId,
      secret: credentials.secretAccessKey,
      region,
    })
  const copier = clientIn(secondInWest, west)
  const user = clientIn(await inWest(third), west)

  const script = [
    '#!/bin/sh',
    'echo "made by the first account" >/root/message',
    'sync',
    'poweroff',
  ].join('\n')
  const guest = await world.launch({ UserData: Buffer.from(script).toString('base64') })
  await world.untilState(guest.id, 'stopped')
  const { ImageId: made = '' } = await maker.send(
    new CreateImageCommand({ InstanceId: guest.id, Name: 'golden' }),
  )
  const { BlockDeviceMappings = [] } = await world.untilImage(made)

  const copy = () =>
    copier.send(
      new CopyImageCommand({ Name: 'golden', SourceRegion: 'us-east-1', SourceImageId: made }),
    )
  const shareWith = (client: EC2Client, ImageId: string, UserId: string) =>
    client.send(
      new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [{ UserId }] } }),
    )
  await assert.rejects(copy(), notFound)
  await shareWith(maker, made, second)
  // The image may be launched; to copy it takes its snapshot too.
  await assert.rejects(copy(), { name: 'InvalidRequest' })
  await maker.send(
    new ModifySnapshotAttributeCommand({
      SnapshotId: BlockDeviceMappings[0]?.Ebs?.SnapshotId,
      CreateVolumePermission: { Add: [{ UserId: second }] },
    }),
  )
  const { ImageId = '' } = await copy()
  const see = async (client: EC2Client, input: DescribeImagesCommandInput = {}) =>
    (await client.send(new DescribeImagesCommand({ ImageIds: [ImageId], ...input }))).Images ?? []
  await eventually('the copy', async () => (await see(copier))[0]?.State === 'available')

  const run = async () => {
    const ask = ['#!/bin/sh', 'echo "found: $(cat /root/message)" >/dev/console'].join('\n')
    const { Instances = [] } = await user.send(
      new RunInstancesCommand({
        ImageId,
        InstanceType: 't2.nano',
        MinCount: 1,
        MaxCount: 1,
        UserData: Buffer.from(ask).toString('base64'),
      }),
    )
    return Instances[0]?.InstanceId ?? ''
  }
  await assert.rejects(run(), refused)
  await shareWith(copier, ImageId, third)
  assert.equal((await see(user))[0]?.OwnerId, second)
  await assert.rejects(shareWith(user, ImageId, '444444444444'), refused)
  // The first account has no part in the copy, and its own image is none of the third's.
  await assert.rejects(see(maker), notFound)
  await assert.rejects(see(user, { ImageIds: [made] }), notFound)

  const DeprecateAt = new Date(Date.now() + 3_600_000)
  await copier.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt }))
  const past = { deprecates_at_ms: Date.now() - 60_000 }
  await system.db.writes.updateTable('images').set(past).execute()
  const lists = async (client: EC2Client) =>
    (await see(client, { ImageIds: undefined, Owners: [second] })).length
  assert.equal(await lists(user), 0)
  assert.equal(await lists(copier), 1)
  assert.equal((await see(user)).length, 1)

  await copier.send(new DisableImageCommand({ ImageId }))
  await assert.rejects(run(), refused)
  await copier.send(new EnableImageCommand({ ImageId }))
  await assert.rejects(run(), refused)
  await shareWith(copier, ImageId, third)

  const rbin = new RbinClient(secondInWest)
  context.after(() => rbin.destroy())
  const { CreateRuleCommand } = rbinCommands
  assert(CreateRuleCommand)
  const RetentionPeriod = { RetentionPeriodValue: 1, RetentionPeriodUnit: 'DAYS' }
  await rbin.send(new CreateRuleCommand({ ResourceType: 'EC2_IMAGE', RetentionPeriod }) as never)
  await copier.send(new DeregisterImageCommand({ ImageId }))
  await assert.rejects(run(), { name: 'InvalidAMIID.Unavailable' })
  const binned = await copier.send(new ListImagesInRecycleBinCommand({}))
  assert.deepEqual(
    binned.Images?.map((image) => image.ImageId),
    [ImageId],
  )
  await copier.send(new RestoreImageFromRecycleBinCommand({ ImageId }))
  await shareWith(copier, ImageId, third)

  const InstanceId = await run()
  await eventually('what the first guest wrote', async () => {
    const { Output = '' } = await user.send(
      new GetConsoleOutputCommand({ InstanceId, Latest: true }),
    )
    return Buffer.from(Output, 'base64').includes('found: made by the first account')
  })
  assert.equal((await describeInstance(user, InstanceId)).ImageId, ImageId)
  await user.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }))
  await eventually('its end', async () => {
    const { State } = await describeInstance(user, InstanceId)
    return State?.Name === 'terminated'
  })
})
