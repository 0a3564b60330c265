import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DescribeImagesCommand, RegisterImageCommand } from '@aws-sdk/client-ec2'
import { describeInstance, startWorld } from './world.ts'

test('one disk boots by BIOS and by UEFI, as its image says', async (context) => {
  const world = await startWorld(context)
  const { ec2 } = world
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ ImageIds: [await world.starter('tiny')] }),
  )
  const SnapshotId = Images[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId
  assert(SnapshotId)
  const launched = []
  for (const BootMode of ['legacy-bios', 'uefi'] as const) {
    const { ImageId = '' } = await ec2.send(
      new RegisterImageCommand({
        Name: BootMode,
        BootMode,
        Architecture: 'x86_64',
        VirtualizationType: 'hvm',
        EnaSupport: true,
        RootDeviceName: '/dev/xvda',
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
      }),
    )
    launched.push({ BootMode, guest: await world.launch({ ImageId, InstanceType: 't3.nano' }) })
  }
  for (const { BootMode, guest } of launched) {
    await guest.ready()
    const found = await describeInstance(ec2, guest.id)
    assert.equal(found.BootMode, BootMode)
    assert.equal(found.CurrentInstanceBootMode, BootMode)
    const { code } = await guest.try('[ -d /sys/firmware/efi ]')
    assert.equal(code === 0, BootMode === 'uefi')
  }
})
