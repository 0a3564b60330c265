import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { runProgram } from './guest.ts'
import { startWorld } from './world.ts'

/** As distributions ship it. */
const aws = '/usr/bin/aws'

test('the AWS CLI bakes an image, launches others from it, and cleans up', async (context) => {
  const world = await startWorld(context)
  const { system } = world
  await world.starter('tiny')
  const home = join(system.dataFolder, 'aws-home')
  await mkdir(home)
  const { id, secret } = system.imago.rootKey
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: secret.reveal(),
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_DEFAULT_OUTPUT: 'text',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
  }
  const call = (command: string) =>
    runProgram(aws, ['--endpoint-url', system.endpoint, ...command.split(' ')], { env })
  /** Calls EC2, and answers what was printed. */
  const ec2 = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await call(`ec2 ${command}`)
    assert.equal(code, 0, `aws ec2 ${command}: ${stdout}${stderr}`)
    return stdout.trim()
  }
  const refused = async (command: string): Promise<string> => {
    const { code, stderr } = await call(`ec2 ${command}`)
    assert.notEqual(code, 0)
    return stderr
  }

  const identity = await call('sts get-caller-identity --query Account')
  assert.equal(identity.stdout.trim(), '123456789012', identity.stderr)

  const newest = 'sort_by(Images,&CreationDate)[-1].ImageId'
  const starter = await ec2(
    `describe-images --owners amazon --filters Name=name,Values=tiny-* --query ${newest}`,
  )
  assert.match(starter, /^ami-[0-9a-f]{17}$/)
  const keyPath = join(home, 'mine.pem')
  const key = await ec2('create-key-pair --key-name mine --query KeyMaterial')
  await writeFile(keyPath, `${key}\n`, { mode: 0o600 })
  const group = await ec2(
    'create-security-group --group-name ssh --description SSH --query GroupId',
  )
  await ec2(
    `authorize-security-group-ingress --group-id ${group} --protocol tcp --port 22 --cidr 0.0.0.0/0`,
  )
  const launch = async (image: string, count: number): Promise<readonly string[]> => {
    const ids = await ec2(
      `run-instances --image-id ${image} --instance-type t2.nano --key-name mine` +
        ` --security-group-ids ${group} --count ${count}` +
        ' --tag-specifications ResourceType=instance,Tags=[{Key=story,Value=cli}]' +
        ' --query Instances[].InstanceId',
    )
    return ids.split(/\s+/)
  }
  const guestOf = (instanceId: string) => world.guest(instanceId, 'root', keyPath)

  const [first = ''] = await launch(starter, 1)
  await ec2(`wait instance-running --instance-ids ${first}`)
  const guest = await guestOf(first).ready()
  await guest.run('echo "made on $(hostname)" >/root/made; sync')
  const made = await guest.run('cat /root/made')

  const create = `create-image --instance-id ${first} --name golden --no-reboot --query ImageId`
  const image = await ec2(create)
  assert.match(await refused(create), /InvalidAMIName\.Duplicate/)
  await ec2(`wait image-available --image-ids ${image}`)
  const snapshot = await ec2(
    `describe-images --image-ids ${image} --query Images[0].BlockDeviceMappings[0].Ebs.SnapshotId`,
  )
  await ec2(`wait snapshot-completed --snapshot-ids ${snapshot}`)

  const copies = await launch(image, 2)
  await ec2(`wait instance-running --instance-ids ${copies.join(' ')}`)
  for (const copy of copies) {
    assert.equal(await (await guestOf(copy).ready()).run('cat /root/made'), made)
  }

  const volume = await ec2(
    `create-volume --snapshot-id ${snapshot} --availability-zone us-east-1a --query VolumeId`,
  )
  await ec2(`wait volume-available --volume-ids ${volume}`)
  await ec2(`delete-volume --volume-id ${volume}`)
  await ec2(`wait volume-deleted --volume-ids ${volume}`)

  await ec2(`stop-instances --instance-ids ${first}`)
  await ec2(`wait instance-stopped --instance-ids ${first}`)
  assert.match(await refused(`delete-snapshot --snapshot-id ${snapshot}`), /InvalidSnapshot\.InUse/)
  await ec2(`deregister-image --image-id ${image}`)
  await ec2(`delete-snapshot --snapshot-id ${snapshot}`)
  // What was launched from it runs on.
  assert.equal(await guestOf(copies[0] ?? '').run('cat /root/made'), made)
  const all = [first, ...copies].join(' ')
  await ec2(`terminate-instances --instance-ids ${all}`)
  await ec2(`wait instance-terminated --instance-ids ${all}`)
  const left = 'length(Reservations[].Instances[?State.Name!=`terminated`][])'
  assert.equal(
    await ec2(`describe-instances --filters Name=tag:story,Values=cli --query ${left}`),
    '0',
  )
})
