import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { test } from 'node:test'
import {
  CreateImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  GetInstanceTpmEkPubCommand,
  GetInstanceUefiDataCommand,
  RegisterImageCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { decodeUefiData, encodeUefiData } from '../../src/qemu/uefi-data.ts'
import { describeInstance, startWorld } from './world.ts'

const variable = {
  name: 'ImagoWasHere',
  vendor: Buffer.alloc(16, 7),
  attributes: 7,
  data: Buffer.from('a variable'),
}

test('a machine has the TPM and the UEFI variables of its image, and keeps both', async (context) => {
  const world = await startWorld(context)
  const { ec2 } = world
  const wanted = { ImageIds: [await world.starter('tiny')] }
  const { Images = [] } = await ec2.send(new DescribeImagesCommand(wanted))
  const SnapshotId = Images[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId
  const { ImageId = '' } = await ec2.send(
    new RegisterImageCommand({
      Name: 'with a TPM',
      BootMode: 'uefi',
      TpmSupport: 'v2.0',
      UefiData: encodeUefiData([variable], undefined),
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    }),
  )
  const guest = await world.launch({ ImageId, InstanceType: 't3.nano' })
  await guest.ready()
  const InstanceId = guest.id
  assert.equal((await describeInstance(ec2, InstanceId)).TpmSupport, 'v2.0')
  // The firmware tells the guest's kernel of it by an ACPI table.
  assert.equal((await guest.try('[ -e /sys/firmware/acpi/tables/TPM2 ]')).code, 0)

  const key = async () => {
    const asked = { InstanceId, KeyType: 'ecc-sec-p384', KeyFormat: 'der' } as const
    return (await ec2.send(new GetInstanceTpmEkPubCommand(asked))).KeyValue ?? ''
  }
  const variables = async () => {
    const { UefiData = '' } = await ec2.send(new GetInstanceUefiDataCommand({ InstanceId }))
    return decodeUefiData(UefiData, undefined)
  }
  const first = await key()
  const der = { key: Buffer.from(first, 'base64'), format: 'der', type: 'spki' } as const
  assert.equal(createPublicKey(der).asymmetricKeyType, 'ec')
  const ours = (await variables()).find(({ name }) => name === variable.name)
  assert.equal(ours && Buffer.from(ours.data).toString(), 'a variable')
  // The firmware has written its own beside it.
  assert.ok((await variables()).some(({ name }) => name === 'BootOrder'))

  const made = await ec2.send(
    new CreateImageCommand({ InstanceId, Name: 'of the instance', NoReboot: true }),
  )
  const kept = await ec2.send(
    new DescribeImageAttributeCommand({ ImageId: made.ImageId, Attribute: 'uefiData' }),
  )
  const carried = decodeUefiData(kept.UefiData?.Value ?? '', undefined)
  assert.ok(carried.some(({ name }) => name === variable.name))

  await ec2.send(new StopInstancesCommand({ InstanceIds: [InstanceId], Force: true }))
  await world.untilState(InstanceId, 'stopped')
  assert.ok((await variables()).some(({ name }) => name === variable.name))
  await ec2.send(new StartInstancesCommand({ InstanceIds: [InstanceId] }))
  await world.untilState(InstanceId, 'running')
  assert.equal(await key(), first)
})
