import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSnapshotsCommand,
} from '@aws-sdk/client-ec2'
import { runProgram } from './guest.ts'
import { startWorld } from './world.ts'

const template = fileURLToPath(new URL('packer/debian.json', import.meta.url))
/** As distributions ship it. */
const packer = '/usr/bin/packer'

/**
 * Packer ends a machine that does not let it in, and what that wrote to its console is gone with
 * it: so it is read meanwhile. Answers what was read last.
 */
function watchConsoles(context: TestContext, runFolder: string): () => string {
  const texts = new Map<string, string>()
  const timer = setInterval(() => {
    for (const path of globSync(join(runFolder, '*/console.log'))) {
      // One that has just ended is there no more.
      readFile(path, 'utf8').then(
        (text) => texts.set(path, text.slice(-4000)),
        () => {},
      )
    }
  }, 5000)
  context.after(() => clearInterval(timer))
  return () => [...texts].flat().join('\n')
}

test('Packer builds an image that carries what its provisioner did', async (context) => {
  const world = await startWorld(context)
  const { ec2, system } = world
  const sourceId = await world.starter('debian-12')
  const home = join(system.dataFolder, 'packer-home')
  await mkdir(home)
  const { id, secret } = system.imago.rootKey
  const consoles = watchConsoles(context, join(system.dataFolder, 'run'))
  const built = await runProgram(
    packer,
    ['build', '-color=false', '-machine-readable', '-var', `endpoint=${system.endpoint}`, template],
    {
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        TMPDIR: home,
        CHECKPOINT_DISABLE: '1',
        AWS_ACCESS_KEY_ID: id,
        AWS_SECRET_ACCESS_KEY: secret.reveal(),
        AWS_POLL_DELAY_SECONDS: '1',
        AWS_MAX_ATTEMPTS: '600',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    },
  )
  assert.equal(built.code, 0, built.stdout + built.stderr + consoles())
  const imageId = /artifact,0,id,us-east-1:(ami-[0-9a-f]{17})/.exec(built.stdout)?.[1]
  assert(imageId, built.stdout)

  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }))
  const [image] = Images
  assert.equal(image?.State, 'available')
  assert.equal(image?.Name, 'packed')
  assert.equal(image?.Description, 'built by Packer')
  assert.equal(image?.SourceImageId, sourceId)
  const tags = Object.fromEntries((image?.Tags ?? []).map(({ Key, Value }) => [Key, Value]))
  assert.equal(tags['builder'], 'packer')
  assert.match(tags['from'] ?? '', /^debian-12-/)
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  assert.deepEqual(
    Snapshots.map(({ State }) => State),
    ['completed'],
  )

  // It leaves nothing else behind.
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
  const states = Reservations.flatMap(({ Instances = [] }) =>
    Instances.map(({ State }) => State?.Name),
  )
  assert.deepEqual(states, ['terminated'])
  const { KeyPairs = [] } = await ec2.send(new DescribeKeyPairsCommand({}))
  assert.deepEqual(
    KeyPairs.map(({ KeyName }) => KeyName),
    [world.keyName],
  )
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}))
  const names = SecurityGroups.map(({ GroupName }) => GroupName)
  assert.deepEqual(new Set(names), new Set(['default', 'guests']))
  assert.equal(names.length, 2)

  const launched = await world.launch({ ImageId: imageId, InstanceType: 't3.micro' })
  const guest = world.guest(launched.id, 'admin')
  await guest.ready()
  assert.equal(await guest.run('cat /srv/app/hello'), 'made by a provisioner')
  await guest.run('sudo systemctl start hello.service')
  assert.equal(await guest.run('cat /run/hello'), 'made by a provisioner')
})
