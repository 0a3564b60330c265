import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateKeyPairCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteKeyPairCommand,
  DeleteTagsCommand,
  DescribeKeyPairsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  ImportKeyPairCommand,
} from '@aws-sdk/client-ec2'
import { region, startSystem } from './system.ts'

test('a key pair is made, found and deleted, and its private half is shown once', async (context) => {
  const { ec2 } = await startSystem(context, { isIdle: true })
  const made = await ec2.send(new CreateKeyPairCommand({ KeyName: 'mine' }))
  assert.match(made.KeyMaterial ?? '', /^-----BEGIN RSA PRIVATE KEY-----\n/)
  const modern = await ec2.send(new CreateKeyPairCommand({ KeyName: 'new', KeyType: 'ed25519' }))
  assert.match(modern.KeyMaterial ?? '', /^-----BEGIN OPENSSH PRIVATE KEY-----\n/)
  await assert.rejects(ec2.send(new CreateKeyPairCommand({ KeyName: 'mine' })), {
    name: 'InvalidKeyPair.Duplicate',
  })
  await assert.rejects(ec2.send(new CreateKeyPairCommand({ KeyName: 'x', KeyFormat: 'ppk' })), {
    name: 'UnsupportedOperation',
  })
  const find = (KeyNames: string[], IncludePublicKey = false) =>
    ec2.send(new DescribeKeyPairsCommand({ KeyNames, IncludePublicKey }))
  const [found] = (await find(['new'], true)).KeyPairs ?? []
  assert.equal(found?.KeyFingerprint, modern.KeyFingerprint)
  assert.match(found?.PublicKey ?? '', /^ssh-ed25519 \S+ new$/)
  assert.equal((await find(['new'])).KeyPairs?.[0]?.PublicKey, undefined)

  const PublicKeyMaterial = Buffer.from(found?.PublicKey ?? '')
  const copy = await ec2.send(new ImportKeyPairCommand({ KeyName: 'copy', PublicKeyMaterial }))
  assert.equal(copy.KeyFingerprint, modern.KeyFingerprint)
  const nonsense = { KeyName: 'bad', PublicKeyMaterial: Buffer.from('nonsense') }
  await assert.rejects(ec2.send(new ImportKeyPairCommand(nonsense)), { name: 'InvalidKey.Format' })

  await ec2.send(new DeleteKeyPairCommand({ KeyName: 'mine' }))
  await ec2.send(new DeleteKeyPairCommand({ KeyName: 'mine' }))
  await assert.rejects(find(['mine']), {
    name: 'InvalidKeyPair.NotFound',
    message: "The key pair 'mine' does not exist",
  })
})

test('nobody waits while others make keys', async (context) => {
  const { ec2 } = await startSystem(context, { isIdle: true })
  let left = 8
  const keys = Array.from({ length: left }, async (_, index) => {
    await ec2.send(new CreateKeyPairCommand({ KeyName: `key-${index}` }))
    left--
  })
  const AvailabilityZone = `${region}a`
  await ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 }))
  assert(left > 0, 'the volume came after all keys')
  await Promise.all(keys)
  const { KeyPairs } = await ec2.send(new DescribeKeyPairsCommand({}))
  assert.equal(KeyPairs?.length, 8)
  // A dry run makes none.
  const dry = new CreateKeyPairCommand({ KeyName: 'dry', DryRun: true })
  await assert.rejects(ec2.send(dry), { name: 'DryRunOperation' })
})

test('tags are put on what is there, found and removed', async (context) => {
  const system = await startSystem(context, { isIdle: true })
  const { ec2 } = system
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, Size: 1 }),
  )
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}))
  const Resources = [VolumeId, Vpcs[0]?.VpcId ?? '']
  const Tags = [
    { Key: 'Name', Value: 'data' },
    { Key: 'stage', Value: 'test' },
  ]
  await ec2.send(new CreateTagsCommand({ Resources, Tags }))
  const find = async (name: string, value: string) => {
    const Filters = [{ Name: name, Values: [value] }]
    const { Tags: found = [] } = await ec2.send(new DescribeTagsCommand({ Filters }))
    return found.map(({ ResourceType, Key, Value }) => [ResourceType, Key, Value].join(' '))
  }
  assert.deepEqual(await find('resource-id', VolumeId), ['volume Name data', 'volume stage test'])
  assert.deepEqual(await find('key', 'stage'), ['volume stage test', 'vpc stage test'])
  const Filters = [{ Name: 'tag:Name', Values: ['d*'] }]
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({ Filters }))
  assert.equal(Volumes?.length, 1)

  await ec2.send(new DeleteTagsCommand({ Resources: [VolumeId], Tags: [{ Key: 'stage' }] }))
  assert.deepEqual(await find('resource-id', VolumeId), ['volume Name data'])
  await ec2.send(new DeleteTagsCommand({ Resources: [VolumeId] }))
  assert.deepEqual(await find('resource-id', VolumeId), [])

  const create = (input: { Resources: string[]; Tags?: typeof Tags }, sender = ec2) =>
    sender.send(new CreateTagsCommand({ Tags, ...input }))
  await assert.rejects(create({ Resources: [] }), { name: 'MissingParameter' })
  await assert.rejects(create({ Resources: ['nonsense'] }), { name: 'InvalidID' })
  const missing = {
    'vol-0123456789abcdef0': 'InvalidVolume.NotFound',
    'ami-0123456789abcdef0': 'InvalidAMIID.NotFound',
    'i-0123456789abcdef0': 'InvalidInstanceID.NotFound',
    'snap-0123456789abcdef0': 'InvalidSnapshot.NotFound',
    'sg-0123456789abcdef0': 'InvalidGroup.NotFound',
    'key-0123456789abcdef0': 'InvalidKeyPair.NotFound',
  }
  for (const [id, name] of Object.entries(missing)) {
    await assert.rejects(create({ Resources: [id] }), { name }, id)
  }
  const other = await system.client('222222222222')
  await assert.rejects(create({ Resources: [VolumeId] }, other), {
    name: 'InvalidVolume.NotFound',
  })
})
