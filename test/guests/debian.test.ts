import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateImageCommand, RebootInstancesCommand } from '@aws-sdk/client-ec2'
import { describeInstance, eventually, startWorld } from './world.ts'

const userData = `#cloud-config
write_files:
  - path: /etc/motd
    content: written by cloud-init
runcmd:
  - echo ran >>/root/runcmd
`

test('debian-12 is an instance as on EC2, and so is what is baked from it', async (context) => {
  const world = await startWorld(context)
  const { ec2 } = world
  const { id } = await world.launch({
    ImageId: await world.starter('debian-12'),
    InstanceType: 't3.micro',
    UserData: Buffer.from(userData).toString('base64'),
    BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize: 4 } }],
  })
  const guest = world.guest(id, 'admin')
  await guest.ready()

  await context.test(
    'cloud-init knows that it is on EC2, and does what the user data says',
    async () => {
      assert.match(await guest.run('cloud-init status --wait'), /status: done/)
      assert.equal(await guest.run('cloud-id'), 'aws')
      assert.equal(await guest.run('sudo cloud-init query instance_id'), id)
      assert.equal(await guest.run('cat /etc/motd'), 'written by cloud-init')
      assert.equal(await guest.run('sudo cat /root/runcmd'), 'ran')
    },
  )

  await context.test('its name is the private one, and its root fills the disk', async () => {
    const { PrivateDnsName } = await describeInstance(ec2, id)
    assert.equal(await guest.run('hostname'), PrivateDnsName?.split('.')[0])
    const blocks = await guest.run('df --block-size=1M --output=size / | tail -n 1')
    assert(Number(blocks) > 3600, blocks)
  })

  await context.test('nobody logs in with a password, nor as root', async () => {
    const settings = await guest.run('sudo sshd -T')
    assert.match(settings, /^passwordauthentication no$/m)
    const root = await world.guest(id, 'root').try('true')
    assert.notEqual(root.code, 0)
    assert.equal(await guest.run('sudo id -u'), '0')
  })

  const hostKey = () => guest.run('cat /etc/ssh/ssh_host_ed25519_key.pub')
  const key = await hostKey()

  await context.test('a reboot comes back as the same machine', async () => {
    const bootId = await guest.run('cat /proc/sys/kernel/random/boot_id')
    await ec2.send(new RebootInstancesCommand({ InstanceIds: [id] }))
    await eventually('another boot', async () => {
      const { code, stdout } = await guest.try('cat /proc/sys/kernel/random/boot_id')
      return code === 0 && stdout.trim() !== bootId
    })
    assert.match(await guest.run('cloud-init status --wait'), /status: done/)
    assert.equal(await hostKey(), key)
    assert.equal(await guest.run('sudo cat /root/runcmd'), 'ran')
  })

  await context.test('an image baked while it runs boots as another instance', async () => {
    await guest.run('echo baked | sudo tee /srv/baked; sync')
    const { ImageId = '' } = await ec2.send(
      new CreateImageCommand({ InstanceId: id, Name: 'baked', NoReboot: true }),
    )
    await world.untilImage(ImageId)
    const other = world.guest(
      (await world.launch({ ImageId, InstanceType: 't3.micro' })).id,
      'admin',
    )
    await other.ready()
    assert.match(await other.run('cloud-init status --wait'), /status: done/)
    assert.equal(await other.run('cat /srv/baked'), 'baked')
    assert.equal(await other.run('sudo cloud-init query instance_id'), other.id)
    assert.notEqual(await other.run('cat /etc/ssh/ssh_host_ed25519_key.pub'), key)
  })
})
