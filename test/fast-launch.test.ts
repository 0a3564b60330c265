/** Fast launch of images of Windows, through a real client. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  DescribeFastLaunchImagesCommand,
  type DescribeFastLaunchImagesCommandInput,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DisableFastLaunchCommand,
  type EC2Client,
  EnableFastLaunchCommand,
  type EnableFastLaunchCommandInput,
  ModifyImageAttributeCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { callImago } from '../src/cli/imago-client.ts'
import type { NewImage } from '../src/images/image.ts'
import { newId, putImage } from './rows.ts'
import { writeSelfPreparingDisk } from './self-preparing-disk.ts'
import { accountId, region, startSystem } from './system.ts'

const other = '222222222222'
const ofFastLaunch = [{ Name: 'tag:CreatedBy', Values: ['EC2 Fast Launch'] }]

const list = async (ec2: EC2Client, input: DescribeFastLaunchImagesCommandInput = {}) =>
  (await ec2.send(new DescribeFastLaunchImagesCommand(input))).FastLaunchImages ?? []

test('fast launch is enabled for images of Windows that one sees, and by its rules', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { db, ec2 } = system
  const theirs = await system.client(other)
  const owner = { accountId, region }
  const windows = { platform: 'windows' } as const
  const put = async (name: string, changes: Partial<NewImage> = {}) =>
    (await putImage(db, owner, { name, ...changes })).id
  const first = await put('first', windows)
  const second = await put('second', windows)
  const enable = (input: Partial<EnableFastLaunchCommandInput>, client = ec2) =>
    client.send(new EnableFastLaunchCommand({ ImageId: first, ...input }))
  const disable = (ImageId: string = first, client = ec2) =>
    client.send(new DisableFastLaunchCommand({ ImageId }))
  const refused = (name: string, call: Promise<unknown>, message = /./) =>
    assert.rejects(call, { name, message })

  const linux = await put('linux')
  const gone = await put('gone', { ...windows, state: 'deregistered' })
  const disabled = await put('disabled', { ...windows, state: 'disabled' })
  for (const [name, input] of [
    ['InvalidParameterValue', { ImageId: linux }],
    ['InvalidAMIID.Unavailable', { ImageId: gone }],
    ['InvalidAMIID.Unavailable', { ImageId: disabled }],
    ['InvalidAMIID.NotFound', { ImageId: newId('image') }],
    ['InvalidAMIID.Malformed', { ImageId: 'windows' }],
    ['InvalidParameterValue', { ResourceType: 'volume' }],
    ['InvalidParameterValue', { MaxParallelLaunches: 5 }],
    ['InvalidParameterValue', { MaxParallelLaunches: 2 ** 31 }],
    ['InvalidParameterValue', { SnapshotConfiguration: { TargetResourceCount: 0 } }],
    ['InvalidParameterValue', { SnapshotConfiguration: { TargetResourceCount: 2 ** 31 } }],
    ['UnsupportedOperation', { LaunchTemplate: { LaunchTemplateName: 'a', Version: '1' } }],
    ['DryRunOperation', { DryRun: true }],
  ] as const) {
    await refused(name, enable(input))
  }
  await refused('InvalidAMIID.NotFound', enable({}, theirs))
  await refused('IncorrectState', disable(), /not enabled/)
  await refused('InvalidAMIID.NotFound', disable(newId('image')))
  assert.deepEqual(await list(ec2), [])

  const allow = (...actions: string[]) =>
    [{ effect: 'Allow', actions: actions.map((one) => `ec2:${one}`), resources: ['*'] }] as const
  const mayEnable = await system.client('333333333333', allow('EnableFastLaunch'))
  const mayLaunch = await system.client('333333333333', [
    ...allow('EnableFastLaunch'),
    ...allow('RunInstances'),
  ])
  await refused('UnauthorizedOperation', enable({}, mayEnable), /ec2:RunInstances/)
  await refused('InvalidAMIID.NotFound', enable({}, mayLaunch))

  const made = await enable({})
  assert.deepEqual(
    { ...made, $metadata: undefined, StateTransitionTime: undefined },
    {
      $metadata: undefined,
      ImageId: first,
      MaxParallelLaunches: 6,
      OwnerId: accountId,
      ResourceType: 'snapshot',
      SnapshotConfiguration: { TargetResourceCount: 5 },
      State: 'enabling',
      StateTransitionReason: 'Client.UserInitiated',
      StateTransitionTime: undefined,
    },
  )
  assert(made.StateTransitionTime)
  const SnapshotConfiguration = { TargetResourceCount: 2 }
  const less = await enable({ MaxParallelLaunches: 9, SnapshotConfiguration })
  assert.deepEqual(less.StateTransitionTime, made.StateTransitionTime)
  assert.deepEqual(
    [less.MaxParallelLaunches, less.SnapshotConfiguration?.TargetResourceCount],
    [9, 2],
  )

  const LaunchPermission = { Add: [{ UserId: other }] }
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: first, LaunchPermission }))
  assert.equal((await enable({}, theirs)).OwnerId, other)
  assert.equal((await disable(first, theirs)).State, 'disabling')
  await refused('IncorrectState', enable({}, theirs), /being disabled/)
  assert.equal((await list(theirs))[0]?.State, 'disabling')

  await enable({ ImageId: second })
  const idsOf = async (input: DescribeFastLaunchImagesCommandInput) =>
    (await list(ec2, input)).map(({ ImageId }) => ImageId)
  const filter = (Name: string, Value: string) => ({ Filters: [{ Name, Values: [Value] }] })
  const both = [first, second].sort()
  assert.deepEqual(await idsOf({}), both)
  assert.deepEqual(await idsOf({ ImageIds: [second] }), [second])
  assert.deepEqual(await idsOf(filter('owner-id', accountId)), both)
  assert.deepEqual(await idsOf(filter('owner-id', other)), [])
  assert.deepEqual(await idsOf(filter('state', 'enabl*')), both)
  assert.deepEqual(await idsOf(filter('state', 'enabled')), [])
  assert.deepEqual(await idsOf(filter('resource-type', 'snapshot')), both)
  await refused('InvalidParameterValue', idsOf(filter('colour', 'red')))
  await refused('InvalidAMIID.Malformed', idsOf({ ImageIds: ['first'] }))
  const page = await ec2.send(new DescribeFastLaunchImagesCommand({ MaxResults: 1 }))
  assert.equal(page.FastLaunchImages?.length, 1)
  assert.deepEqual(await idsOf({ MaxResults: 1, NextToken: page.NextToken }), both.slice(1))
})

test('machines set themselves up ahead, and a launch is of one that has', async (context) => {
  const system = await startSystem(context)
  const { ec2, endpoint } = system
  const source = join(system.dataFolder, 'windows.raw')
  await writeSelfPreparingDisk(source)
  const access = { endpoint, region, key: system.imago.rootKey }
  const body = { source, name: 'windows', bootMode: 'legacy-bios' }
  const { importId } = await callImago(access, 'POST', '/imago/v1/imports', body)
  const ImageId = await system.until('the import', async () => {
    const found = await callImago(access, 'GET', `/imago/v1/imports/${String(importId)}`)
    assert.notEqual(found['state'], 'error', String(found['message']))
    return found['state'] === 'completed' && String(found['imageId'])
  })
  const machine = async (id: string) => {
    const command = new DescribeInstancesCommand({ InstanceIds: [id] })
    return (await ec2.send(command)).Reservations?.[0]?.Instances?.[0]?.State?.Name
  }
  const reserves = async () => {
    const own = { OwnerIds: ['self'], Filters: ofFastLaunch }
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand(own))
    return Snapshots.flatMap(({ SnapshotId, State }) => (State === 'completed' ? SnapshotId : []))
  }
  const run = async () => {
    const { Instances } = await ec2.send(
      new RunInstancesCommand({ ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 }),
    )
    const id = Instances?.[0]?.InstanceId ?? ''
    const Filters = [{ Name: 'attachment.instance-id', Values: [id] }]
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ Filters }))
    return { id, root: Volumes?.[0]?.SnapshotId }
  }

  const SnapshotConfiguration = { TargetResourceCount: 1 }
  await ec2.send(new EnableFastLaunchCommand({ ImageId, SnapshotConfiguration }))
  await system.until('the reserve', async () => {
    const [found] = await list(ec2)
    assert(!found?.State?.endsWith('failed'), String(found?.StateTransitionReason))
    return found?.State === 'enabled'
  })
  const [reserved] = await reserves()
  assert(reserved)
  const fast = await run()
  assert.equal(fast.root, reserved)
  const next = await system.until('the next', async () => (await reserves())[0])
  assert.notEqual(next, reserved)

  await ec2.send(new DisableFastLaunchCommand({ ImageId }))
  await system.until('its end', async () => (await list(ec2)).length === 0)
  assert.deepEqual(await reserves(), [])
  // Without a reserve the machine sets itself up now, and the one that was launched before still runs.
  const slow = await run()
  assert.notEqual(slow.root, next)
  await system.until('its first start', async () => (await machine(slow.id)) === 'stopped')
  assert.equal(await machine(fast.id), 'running')

  const command = new DescribeInstancesCommand({})
  const all = ((await ec2.send(command)).Reservations ?? []).flatMap(
    ({ Instances = [] }) => Instances,
  )
  const InstanceIds = all.flatMap(({ InstanceId }) => InstanceId ?? [])
  assert.equal(InstanceIds.length, 4)
  await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
  for (const id of InstanceIds) {
    await system.until('the end', async () => (await machine(id)) === 'terminated')
  }
})
