import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DeleteVolumeCommand,
  DescribeVolumeAttributeCommand,
  DescribeVolumesCommand,
  DescribeVolumeStatusCommand,
  type DescribeVolumeStatusCommandInput,
  DetachVolumeCommand,
  EnableVolumeIOCommand,
  ModifyVolumeAttributeCommand,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { insertInstance } from '../src/instances/store.ts'
import { anInstance } from '../src/instances/testing.ts'
import type { Id } from '../src/lib/ids.ts'
import { deleteAttachment, changeVolumeState, insertAttachment } from '../src/volumes/store.ts'
import { asRoot } from '../src/volumes/testing.ts'
import { accountId, region, startSystem } from './system.ts'

const zone = `${region}a`
const missing = 'vol-0123456789abcdef0'
const instance = anInstance(1, { accountId, region })
const { id: instanceId } = instance

async function start(context: TestContext, isIdle = true) {
  const system = await startSystem(context, { isIdle })
  const { ec2, db } = system
  return {
    ...system,
    create: async (input: Partial<CreateVolumeCommandInput> = {}) => {
      const command = new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1, ...input })
      const made = await ec2.send(command)
      assert(made.VolumeId)
      return { ...made, VolumeId: made.VolumeId as Id<'volume'> }
    },
    describe: async (id: string) => {
      const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
      return Volumes[0]
    },
    makeAvailable: (id: Id<'volume'>) =>
      transaction(db.writes, (tx) =>
        changeVolumeState(tx, { id, from: 'creating', to: 'available' }),
      ),
  }
}

test('a volume is created, becomes available, and is deleted', async (context) => {
  const system = await start(context, false)
  const { ec2, create, describe } = system
  const made = await create({
    VolumeType: 'gp3',
    TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'Name', Value: 'data' }] }],
  })
  assert.deepEqual(
    [made.State, made.Size, made.Iops, made.Throughput, made.Encrypted],
    ['creating', 1, 3000, 125, false],
  )
  const id = made.VolumeId
  await system.until('available', async () => (await describe(id))?.State === 'available')
  const shown = await describe(id)
  assert.deepEqual(shown?.Tags, [{ Key: 'Name', Value: 'data' }])
  assert.equal(shown.OwnerId, accountId)
  assert.equal(shown.VolumeArn, `arn:aws:ec2:${region}:${accountId}:volume/${id}`)
  const status = await ec2.send(new DescribeVolumeStatusCommand({ VolumeIds: [id] }))
  assert.equal(status.VolumeStatuses?.[0]?.VolumeStatus?.Status, 'ok')
  await ec2.send(new DeleteVolumeCommand({ VolumeId: id }))
  await system.until('gone', () =>
    describe(id).then(
      () => false,
      (error: Error) => error.name === 'InvalidVolume.NotFound',
    ),
  )
})

test('what is known of a volume, and what is to be done with it, is told', async (context) => {
  const { ec2, create, makeAvailable } = await start(context)
  const { VolumeId } = await create()
  const { VolumeId: other } = await create({ AvailabilityZone: `${region}b` })
  const status = async (input: DescribeVolumeStatusCommandInput = {}) =>
    (await ec2.send(new DescribeVolumeStatusCommand(input))).VolumeStatuses ?? []
  const found = async (Name: string, ...Values: string[]) =>
    (await status({ Filters: [{ Name, Values }] })).map((one) => one.VolumeId)
  const [unknown] = await status({ VolumeIds: [VolumeId] })
  assert.equal(unknown?.VolumeStatus?.Status, 'insufficient-data')
  await makeAvailable(VolumeId)
  assert.deepEqual(await found('volume-status.status', 'ok'), [VolumeId])
  assert.deepEqual(await found('volume-status.details-status', 'passed'), [VolumeId])
  assert.deepEqual(await found('availability-zone', `${region}b`), [other])
  assert.deepEqual(await found('event.event-type', '*'), [])
  assert.deepEqual(await found('attachment-status.io-performance', '*'), [])
  await assert.rejects(found('colour', 'red'), { name: 'InvalidParameterValue' })
  await assert.rejects(status({ VolumeIds: [VolumeId], MaxResults: 5 }), {
    name: 'InvalidParameterCombination',
  })
  await assert.rejects(status({ VolumeIds: [missing] }), { name: 'InvalidVolume.NotFound' })

  const attribute = (Attribute: 'autoEnableIO' | 'productCodes', id: string = VolumeId) =>
    ec2.send(new DescribeVolumeAttributeCommand({ VolumeId: id, Attribute }))
  assert.equal((await attribute('autoEnableIO')).AutoEnableIO?.Value, false)
  const AutoEnableIO = { Value: true }
  await ec2.send(new ModifyVolumeAttributeCommand({ VolumeId, AutoEnableIO }))
  assert.equal((await attribute('autoEnableIO')).AutoEnableIO?.Value, true)
  assert.deepEqual((await attribute('productCodes')).ProductCodes, [])
  await assert.rejects(attribute('colour' as 'productCodes'), { name: 'InvalidParameterValue' })
  await assert.rejects(attribute('productCodes', missing), { name: 'InvalidVolume.NotFound' })
  await assert.rejects(ec2.send(new ModifyVolumeAttributeCommand({ VolumeId })), {
    name: 'MissingParameter',
  })
  await ec2.send(new EnableVolumeIOCommand({ VolumeId }))
  await assert.rejects(ec2.send(new EnableVolumeIOCommand({ VolumeId: missing })), {
    name: 'InvalidVolume.NotFound',
  })
})

test('a volume that cannot be is refused with the code that EC2 has for it', async (context) => {
  const { create } = await start(context)
  const refused = (input: Partial<CreateVolumeCommandInput>, name: string, message?: string) =>
    assert.rejects(create(input), { name, ...(message !== undefined && { message }) })
  await refused(
    { Size: undefined },
    'MissingParameter',
    'The request must contain the parameter size/snapshot',
  )
  await refused({ AvailabilityZone: 'eu-west-1a' }, 'InvalidZone.NotFound')
  await refused({ AvailabilityZone: undefined }, 'MissingParameter')
  await refused({ Size: 0 }, 'InvalidParameterValue')
  await refused({ VolumeType: 'gp9' as 'gp3' }, 'InvalidParameterValue')
  await refused({ VolumeType: 'io1', Size: 4 }, 'MissingParameter')
  await refused({ SnapshotId: 'snap-0123456789abcdef0' }, 'InvalidSnapshot.NotFound')
  await refused({ SnapshotId: 'snap-x' }, 'InvalidSnapshotID.Malformed')
  await refused({ MultiAttachEnabled: true }, 'UnsupportedOperation')
  await refused({ VolumeInitializationRate: 99 }, 'InvalidParameterValue')
  await refused({ VolumeInitializationRate: 100 }, 'InvalidParameterCombination')
  await refused(
    { TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'a', Value: 'b' }] }] },
    'InvalidParameterValue',
    "'image' is not a valid taggable resource type for this operation.",
  )
})

test('volumes are found by id, by filters and in pages', async (context) => {
  const system = await start(context)
  const { ec2, create } = system
  const ids: string[] = []
  for (let size = 1; size <= 7; size++) ids.push((await create({ Size: size })).VolumeId)
  const find = async (name: string, ...values: string[]) => {
    const Filters = [{ Name: name, Values: values }]
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }))
    return Volumes.map(({ Size = 0 }) => Size).toSorted((one, other) => one - other)
  }
  assert.deepEqual(await find('size', '2', '3'), [2, 3])
  assert.deepEqual(await find('status', 'creat*'), [1, 2, 3, 4, 5, 6, 7])
  assert.deepEqual(await find('attachment.status', 'attached'), [])
  await assert.rejects(find('colour', 'red'), { name: 'InvalidParameterValue' })

  const first = await ec2.send(new DescribeVolumesCommand({ MaxResults: 5 }))
  assert.equal(first.Volumes?.length, 5)
  const { NextToken } = first
  const rest = await ec2.send(new DescribeVolumesCommand({ MaxResults: 5, NextToken }))
  const seen = [...first.Volumes, ...(rest.Volumes ?? [])].map(({ VolumeId }) => VolumeId)
  assert.deepEqual(seen, ids.toSorted())
  assert.equal(rest.NextToken, undefined)

  const describe = (VolumeIds: string[]) => ec2.send(new DescribeVolumesCommand({ VolumeIds }))
  await assert.rejects(describe([missing]), {
    name: 'InvalidVolume.NotFound',
    message: `The volume '${missing}' does not exist.`,
  })
  await assert.rejects(describe(['vol-x']), { name: 'InvalidVolumeID.Malformed' })
  const other = await system.client('222222222222')
  assert.deepEqual((await other.send(new DescribeVolumesCommand({}))).Volumes, [])
})

test('a volume is attached once, to an instance of its zone, and detached again', async (context) => {
  const { ec2, db, create, describe, makeAvailable } = await start(context)
  await transaction(db.writes, (tx) => insertInstance(tx, instance))
  const { VolumeId } = await create()
  const attach = (input: object = {}) =>
    ec2.send(
      new AttachVolumeCommand({ VolumeId, InstanceId: instanceId, Device: '/dev/sdf', ...input }),
    )
  await assert.rejects(attach(), { name: 'IncorrectState' })
  await makeAvailable(VolumeId)
  await assert.rejects(attach({ Device: '/dev/nvme1' }), { name: 'InvalidParameterValue' })
  await assert.rejects(attach({ InstanceId: 'i-0123456789abcdef0' }), {
    name: 'InvalidInstanceID.NotFound',
  })
  const attached = await attach()
  assert.deepEqual([attached.State, attached.Device], ['attaching', '/dev/sdf'])
  const shown = await describe(VolumeId)
  assert.deepEqual([shown?.State, shown?.Attachments?.[0]?.InstanceId], ['in-use', instanceId])

  await assert.rejects(attach(), { name: 'VolumeInUse' })
  await assert.rejects(ec2.send(new DeleteVolumeCommand({ VolumeId })), { name: 'VolumeInUse' })
  const twin = await create()
  await makeAvailable(twin.VolumeId)
  await assert.rejects(attach({ VolumeId: twin.VolumeId }), { name: 'InvalidParameterValue' })
  const elsewhere = await create({ AvailabilityZone: `${region}b` })
  await makeAvailable(elsewhere.VolumeId)
  await assert.rejects(attach({ VolumeId: elsewhere.VolumeId, Device: '/dev/sdg' }), {
    name: 'InvalidVolume.ZoneMismatch',
  })

  const detach = (input: object = {}) => ec2.send(new DetachVolumeCommand({ VolumeId, ...input }))
  await assert.rejects(detach({ Device: '/dev/sdg' }), { name: 'InvalidAttachment.NotFound' })
  assert.equal((await detach({ InstanceId: instanceId })).State, 'detaching')
  await assert.rejects(detach(), { name: 'IncorrectState' })
  assert.equal((await detach({ Force: true })).State, 'detaching')
  await transaction(db.writes, async (tx) => {
    await deleteAttachment(tx, VolumeId)
    await changeVolumeState(tx, { id: VolumeId, from: 'in-use', to: 'available' })
  })
  await assert.rejects(detach(), { name: 'IncorrectState' })
})

test('an instance has places for 27 volumes, and a volume more is refused', async (context) => {
  const { ec2, db, create, describe, makeAvailable } = await start(context)
  await transaction(db.writes, (tx) => insertInstance(tx, instance))
  const attach = async (Device: string) => {
    const { VolumeId } = await create()
    await makeAvailable(VolumeId)
    const command = { VolumeId, InstanceId: instanceId, Device }
    return await ec2.send(new AttachVolumeCommand(command)).then(
      () => ({ VolumeId, refusal: undefined }),
      (refusal: Error) => ({ VolumeId, refusal }),
    )
  }
  for (let index = 0; index < 27; index++) {
    const letter = String.fromCharCode('a'.charCodeAt(0) + (index % 26))
    const { refusal } = await attach(`/dev/${index < 26 ? 'sd' : 'xvdb'}${letter}`)
    assert.equal(refusal, undefined)
  }
  const { VolumeId, refusal } = await attach('/dev/xvdbb')
  assert.equal(refusal?.name, 'AttachmentLimitExceeded')
  assert.equal(refusal?.message, 'You may attach up to 27 devices for this instance type.')
  assert.equal((await describe(VolumeId))?.State, 'available')
})

test('the root volume of a running instance stays where it is', async (context) => {
  const { ec2, db, create } = await start(context)
  const { VolumeId } = await create()
  await transaction(db.writes, async (tx) => {
    await insertInstance(tx, instance)
    await changeVolumeState(tx, { id: VolumeId, from: 'creating', to: 'in-use' })
    await insertAttachment(tx, asRoot({ id: VolumeId }, instance))
  })
  await assert.rejects(ec2.send(new DetachVolumeCommand({ VolumeId, Force: true })), {
    name: 'OperationNotPermitted',
    message: `Unable to detach root volume '${VolumeId}' from instance '${instanceId}'`,
  })
})
