import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CreateImageCommand, RebootInstancesCommand } from '@aws-sdk/client-ec2'
import { callImago } from '../../src/cli/imago-client.ts'
import { osvRecord } from '../../src/scans/testing.ts'
import { region } from '../system.ts'
import { installSdk, makeRole } from './role.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

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
  const role = await makeRole(context, world.system)
  const { id } = await world.launch({
    IamInstanceProfile: { Name: role.name },
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

  await context.test('an SDK in it calls the API as its role, and no further', async () => {
    const call = await installSdk(context, guest)
    const { PrivateIpAddress } = await describeInstance(ec2, id)
    assert.match(await call(), /^UnauthorizedOperation .* because no identity-based policy/)
    await role.allowInside()
    assert.equal(await call(), 'vpcs: 1')
    const { sourceIPAddress, userIdentity } = await role.lastCall('DescribeVpcs')
    assert.equal(sourceIPAddress, PrivateIpAddress)
    assert.match(userIdentity.arn, new RegExp(`:assumed-role/${role.name}/${id}$`))
    await role.deny()
    assert.match(await call(), /^UnauthorizedOperation .* with an explicit deny/)
  })

  await context.test('without a signature the API tells it nothing', async () => {
    const answers = await guest.run(
      `for path in '' imago/v1/imports; do
        curl --silent --write-out ' %{http_code}\\n' http://169.254.169.252/$path \
          --data 'Action=DescribeVpcs&Version=2016-11-15'
      done`,
    )
    assert.match(answers, /MissingAuthenticationToken.* 403\n.*MissingAuthenticationToken.* 403$/s)
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
    await guest.run('sudo dpkg --purge --force-depends eject')
    const { ImageId = '' } = await ec2.send(
      new CreateImageCommand({ InstanceId: id, Name: 'baked', NoReboot: true }),
    )
    await world.untilImage(ImageId)
    // What dpkg has written, which the journal may have alone by now.
    const form = "dpkg-query --show --showformat '${Package} ${Version}\\n'"
    const packages = (await guest.run(form)).split('\n').toSorted()
    assert(packages.some((line) => line.startsWith('openssh-server ')))
    assert.deepEqual(await packagesOf(world, ImageId), packages)
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

/** What a scan finds installed on an image. */
async function packagesOf({ system }: World, imageId: string): Promise<readonly string[]> {
  const access = { endpoint: system.endpoint, region, key: system.imago.rootKey }
  const feed = { records: [osvRecord(1, 'openssh')], isLast: true }
  await callImago(access, 'POST', '/imago/v1/advisories', feed)
  const { packages } = await eventually('the scan', async () => {
    const scan = await callImago(access, 'GET', `/imago/v1/images/${imageId}/scan`)
    assert.equal(scan['problem'], undefined)
    return scan['state'] === 'scanned' && scan
  })
  const listed = packages as readonly { readonly name: string; readonly version: string }[]
  return listed.map(({ name, version }) => `${name} ${version}`).toSorted()
}
