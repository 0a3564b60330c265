import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateImageCommand,
  DescribeImagesCommand,
  DescribeVolumesCommand,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { describeInstance, eventually, startWorld } from './world.ts'

test('what is asked of one instance at once ends in a state that EC2 allows', async (context) => {
  const world = await startWorld(context)
  const { ec2 } = world
  const imageId = await world.starter('tiny')
  const launch = (ClientToken: string) =>
    ec2.send(
      new RunInstancesCommand({
        ImageId: imageId,
        InstanceType: 't2.nano',
        KeyName: world.keyName,
        SecurityGroupIds: [world.groupId],
        MinCount: 1,
        MaxCount: 1,
        ClientToken,
      }),
    )
  const idOf = ({ Instances = [] }: Awaited<ReturnType<typeof launch>>) => {
    assert(Instances[0]?.InstanceId)
    return Instances[0].InstanceId
  }

  const [one = '', twin, two = ''] = (
    await Promise.all([launch('one'), launch('one'), launch('two')])
  ).map(idOf)

  await context.test('two launches with one token are one instance', async () => {
    assert.equal(twin, one)
    assert.notEqual(two, one)
    await Promise.all([world.guest(one).ready(), world.guest(two).ready()])
  })

  const bake = async (InstanceId: string, Name: string) => {
    const { ImageId = '' } = await ec2.send(
      new CreateImageCommand({ InstanceId, Name, NoReboot: true }),
    )
    return ImageId
  }

  await context.test('two bakes of one machine are two images', async () => {
    const [first, second] = await Promise.all([bake(one, 'first'), bake(one, 'second')])
    const images = await Promise.all([world.untilImage(first), world.untilImage(second)])
    const snapshots = images.map(
      ({ BlockDeviceMappings }) => BlockDeviceMappings?.[0]?.Ebs?.SnapshotId,
    )
    assert.equal(new Set(snapshots).size, 2)
  })

  await context.test('two bakes under one name are one image', async () => {
    const outcomes = await Promise.allSettled([bake(one, 'same'), bake(one, 'same')])
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.equal(refused.length, 1)
    const [{ reason }] = refused as [PromiseRejectedResult]
    assert.equal((reason as Error).name, 'InvalidAMIName.Duplicate')
  })

  await context.test(
    'a stop, a start and a bake that meet leave it running or stopped',
    async () => {
      const InstanceIds = [two]
      await Promise.allSettled([
        ec2.send(new StopInstancesCommand({ InstanceIds, Force: true })),
        ec2.send(new StartInstancesCommand({ InstanceIds })),
        bake(two, 'while it stops'),
      ])
      const settled = await eventually('running or stopped', async () => {
        const { State } = await describeInstance(ec2, two)
        return (State?.Name === 'running' || State?.Name === 'stopped') && State.Name
      })
      const { Images = [] } = await ec2.send(
        new DescribeImagesCommand({ Filters: [{ Name: 'name', Values: ['while it stops'] }] }),
      )
      for (const { ImageId = '' } of Images) await world.untilImage(ImageId)
      if (settled === 'stopped') await ec2.send(new StartInstancesCommand({ InstanceIds }))
      await world.guest(two).ready()
    },
  )

  await context.test(
    'an instance that is terminated while it is launched leaves no disk',
    async () => {
      const short = idOf(await launch('short'))
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [short] }))
      await world.untilState(short, 'terminated')
      await eventually('only the disks of the others', async () => {
        const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
        return Volumes.length === 2
      })
    },
  )

  await context.test('a bake and a terminate: the image is whole, or it was refused', async () => {
    const [baked, ended] = await Promise.allSettled([
      bake(one, 'at the end'),
      ec2.send(new TerminateInstancesCommand({ InstanceIds: [one] })),
    ])
    assert.equal(ended.status, 'fulfilled')
    await world.untilState(one, 'terminated')
    if (baked.status === 'rejected') {
      assert.match((baked.reason as Error).message, /not in state|IncorrectState|does not exist/)
      return
    }
    const image = await world.untilImage(baked.value)
    const copy = await world.launch({ ImageId: image.ImageId })
    await copy.ready()
    await world.guest(two).ready()
  })
})
