/** Volumes are copied at an instant, through a real client. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import {
  CopyVolumesCommand,
  type CopyVolumesCommandInput,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DeleteVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DescribeVolumeStatusCommand,
} from '@aws-sdk/client-ec2'
import { EBSClient, GetSnapshotBlockCommand, ListSnapshotBlocksCommand } from '@aws-sdk/client-ebs'
import { CreateKeyCommand, DisableKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { callImago } from '../src/cli/imago-client.ts'
import { checkRows } from '../src/checker/check-rows.ts'
import { layerPath, topLayer } from '../src/qemu/layers.ts'
import { listSnapshotsOfCopies } from '../src/snapshots/copy-store.ts'
import { keyUnusableCode, plainOfEncryptedCode } from '../src/volumes/unknowns.ts'
import { region, startSystem } from './system.ts'

const zone = `${region}a`
const run = promisify(execFile)

async function start(context: TestContext, isIdle = false) {
  const system = await startSystem(context, { isIdle })
  const { ec2, dataFolder } = system
  const describe = async (id: string) => {
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
    return Volumes[0]
  }
  const top = async (id: string) => {
    const folder = join(dataFolder, 'volumes', id)
    return layerPath(folder, await topLayer(folder))
  }
  const io = async (id: string, ...commands: readonly string[]) => {
    const words = commands.flatMap((command) => ['-c', command])
    // A volume can be used before what it lies over is a file.
    const ended = await system.until('what it lies over', () =>
      top(id)
        .then((path) => run('qemu-io', ['-f', 'qcow2', ...words, path]))
        .catch((error: Error) => {
          if (!error.message.includes('Could not open backing file')) throw error
          return undefined
        }),
    )
    assert.doesNotMatch(ended.stdout, /verification failed/i)
  }
  const available = async (id: string) =>
    await system.until('the volume', async () => {
      const found = await describe(id)
      assert.notEqual(found?.State, 'error')
      return found?.State === 'available' && found
    })
  return {
    ...system,
    describe,
    available,
    /** Writes a byte to a piece of a volume that no machine has. */
    write: (id: string, byte: number, place: string) => io(id, `write -P ${byte} ${place}`),
    read: (id: string, byte: number, place: string) => io(id, `read -P ${byte} ${place}`),
    create: async (input: Partial<CreateVolumeCommandInput> = {}) => {
      const wanted = { AvailabilityZone: zone, Size: 1, ...input }
      const { VolumeId = '' } = await ec2.send(new CreateVolumeCommand(wanted))
      if (!isIdle) await available(VolumeId)
      return VolumeId
    },
    copy: async (SourceVolumeId: string, input: Partial<CopyVolumesCommandInput> = {}) => {
      const command = new CopyVolumesCommand({ SourceVolumeId, ...input })
      const { Volumes: [made] = [] } = await ec2.send(command)
      assert(made?.VolumeId)
      return { ...made, VolumeId: made.VolumeId }
    },
  }
}

test('a copy of a volume holds what that held at the call, and goes its own way', async (context) => {
  const system = await start(context)
  const { ec2, db, create, copy, describe, available, write, read } = system
  const source = await create({ VolumeType: 'gp3' })
  await write(source, 0x11, '0 1M')
  await write(source, 0x22, '700M 64k')
  const tags = [{ Key: 'Name', Value: 'a copy' }]
  const made = await copy(source, {
    Size: 10,
    VolumeType: 'gp3',
    Iops: 4000,
    Throughput: 250,
    TagSpecifications: [{ ResourceType: 'volume', Tags: tags }],
  })
  assert.deepEqual(
    [made.State, made.Size, made.VolumeType, made.Iops, made.Throughput, made.SnapshotId],
    ['creating', 10, 'gp3', 4000, 250, ''],
  )
  assert.deepEqual([made.SourceVolumeId, made.AvailabilityZone, made.Tags], [source, zone, tags])
  // The moment is taken: what is written from now on is not in the copy.
  await write(source, 0x33, '0 64k')
  const { VolumeId: id } = made
  const found = await available(id)
  assert.deepEqual([found.SourceVolumeId, found.Size, found.Tags], [source, 10, tags])
  assert.deepEqual(found.Operator, { Managed: false })
  await read(id, 0x11, '0 1M')
  await read(id, 0x22, '700M 64k')
  await read(id, 0, '1536M 1M')
  await write(id, 0x44, '512k 64k')
  await read(source, 0x33, '0 64k')
  await read(source, 0x11, '64k 960k')

  const status = await ec2.send(new DescribeVolumeStatusCommand({ VolumeIds: [id] }))
  assert.deepEqual(status.VolumeStatuses?.[0]?.InitializationStatusDetails, {
    InitializationType: 'volume-copy',
    Progress: 100,
  })
  const Filters = [{ Name: 'source-volume-id', Values: [source] }]
  const copies = await ec2.send(new DescribeVolumesCommand({ Filters }))
  assert.deepEqual(
    copies.Volumes?.map(({ VolumeId }) => VolumeId),
    [id],
  )
  // The copied moment was never a snapshot that anybody could see, and is gone.
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ['self'] }))
  assert.deepEqual(Snapshots, [])
  assert.deepEqual(await listSnapshotsOfCopies(db.reads), [])

  // It does not need its source, and a copy of a copy is one too.
  await ec2.send(new DeleteVolumeCommand({ VolumeId: source }))
  await system.until('gone', () =>
    describe(source).then(
      () => false,
      () => true,
    ),
  )
  const second = await available((await copy(id)).VolumeId)
  assert.deepEqual([second.SourceVolumeId, second.VolumeType, second.Size], [id, 'gp2', 10])
  await read(second.VolumeId ?? '', 0x44, '512k 64k')
  await read(second.VolumeId ?? '', 0x22, '700M 64k')
  for await (const finding of checkRows(db.reads)) assert.fail(JSON.stringify(finding))
})

test('copies, snapshots and the collector of garbage do not get in each other’s way', async (context) => {
  const system = await start(context)
  const { ec2, create, copy, available, write, read } = system
  const source = await create()
  const access = { endpoint: system.endpoint, region, key: system.imago.rootKey }
  const collected = callImago(access, 'POST', '/imago/v1/garbage-collections', {})
  const made: { readonly id: string; readonly byte: number }[] = []
  const snapshots: string[] = []
  for (let byte = 1; byte <= 4; byte++) {
    await write(source, byte, '8M 64k')
    const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId: source }))
    snapshots.push(SnapshotId)
    made.push({ id: (await copy(source)).VolumeId, byte })
  }
  await collected
  for (const { id, byte } of made) {
    await available(id)
    await read(id, byte, '8M 64k')
  }
  const all = await system.until('the snapshots', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: snapshots })
    const { Snapshots = [] } = await ec2.send(wanted)
    return Snapshots.every(({ State }) => State === 'completed') && Snapshots
  })
  for (const { SnapshotId = '' } of all) {
    const path = `/imago/v1/snapshots/${SnapshotId}`
    const content = await callImago(access, 'GET', path)
    // Nobody is told of a parent that there never was to see.
    const { parentSnapshotId: parent } = content
    assert(parent === undefined || snapshots.some((id) => id === parent), 'a parent of nobody')
  }
})

test('a copy that cannot be is refused with the code that EC2 has for it', async (context) => {
  const { create, copy, describe } = await start(context, true)
  const source = await create({ Size: 4 })
  // It is still being made.
  await assert.rejects(copy(source), { name: 'IncorrectState' })
  assert.equal((await describe(source))?.State, 'creating')
})

test('what a copy may be is what a volume may be, and as large as its source', async (context) => {
  const { ec2, create, copy } = await start(context)
  const source = await create({ Size: 4 })
  const refused = (input: Partial<CopyVolumesCommandInput>, name: string, message?: string) =>
    assert.rejects(copy(source, input), { name, ...(message !== undefined && { message }) })
  await refused(
    { Size: 3 },
    'InvalidParameterValue',
    `Volume of size 3GB is smaller than volume '${source}', expect size >= 4GB`,
  )
  await refused({ Size: 20_000 }, 'InvalidParameterValue')
  await refused({ Iops: 3000 }, 'InvalidParameterCombination')
  await refused({ Throughput: 125 }, 'InvalidParameterCombination')
  await refused({ VolumeType: 'io2' }, 'MissingParameter')
  await refused({ VolumeType: 'st1' }, 'InvalidParameterValue')
  await refused({ VolumeType: 'gp9' as 'gp3' }, 'InvalidParameterValue')
  await refused({ VolumeType: 'io2', Iops: 100, MultiAttachEnabled: true }, 'UnsupportedOperation')
  await refused(
    { TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'a', Value: 'b' }] }] },
    'InvalidParameterValue',
  )
  await refused({ DryRun: true }, 'DryRunOperation')
  await assert.rejects(copy('vol-x'), { name: 'InvalidVolumeID.Malformed' })
  await assert.rejects(copy('vol-0123456789abcdef0'), { name: 'InvalidVolume.NotFound' })
  await assert.rejects(copy(undefined as unknown as string), { name: 'MissingParameter' })

  // Asked again with one token, there is one copy; with another wish under it there is none.
  const first = await copy(source, { ClientToken: 'one' })
  assert.equal((await copy(source, { ClientToken: 'one' })).VolumeId, first.VolumeId)
  await refused({ ClientToken: 'one', Size: 5 }, 'IdempotentParameterMismatch')
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
  assert.equal(Volumes.length, 2)
})

test('a copy of an encrypted volume is encrypted, and one of a plain volume can be', async (context) => {
  const system = await start(context)
  const { ec2, create, copy, available, write } = system
  const kms = new KMSClient(system.settingsWith())
  context.after(() => kms.destroy())
  const makeKey = async () =>
    (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? assert.fail('no key')
  const [one, other] = [await makeKey(), await makeKey()]
  const plain = await create()
  const pattern = 0x5a
  await write(plain, pattern, '8M 64k')
  const keysOf = async (id: string) => {
    const { Encrypted, KmsKeyId } = await available(id)
    return [Encrypted, KmsKeyId]
  }
  const sealed = await copy(plain, { Encrypted: true, KmsKeyId: one })
  assert.deepEqual([sealed.Encrypted, sealed.KmsKeyId], [true, one])
  assert.deepEqual(await keysOf(sealed.VolumeId), [true, one])
  const same = await copy(sealed.VolumeId)
  assert.deepEqual(await keysOf(same.VolumeId), [true, one])
  const again = await copy(sealed.VolumeId, { Encrypted: true, KmsKeyId: other })
  assert.deepEqual(await keysOf(again.VolumeId), [true, other])

  // What all of them hold is read block by block from snapshots of them.
  const ebs = new EBSClient(system.settingsWith())
  context.after(() => ebs.destroy())
  for (const { VolumeId } of [sealed, same, again]) {
    const { SnapshotId = '' } = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
    await system.until('the snapshot', async () => {
      const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
      return (await ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
    })
    const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }))
    const [block] = Blocks
    assert.deepEqual([Blocks.length, block?.BlockIndex], [1, 16])
    const { BlockIndex, BlockToken } = block ?? {}
    const got = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex, BlockToken }))
    const bytes = await got.BlockData?.transformToByteArray()
    assert(bytes?.subarray(0, 65_536).every((byte) => byte === pattern))
  }
  for await (const finding of checkRows(system.db.reads)) assert.fail(JSON.stringify(finding))

  const refused = (id: string, input: Partial<CopyVolumesCommandInput>, name: string) =>
    assert.rejects(copy(id, input), { name })
  await refused(plain, { KmsKeyId: one }, 'InvalidParameterDependency')
  await refused(sealed.VolumeId, { Encrypted: false }, plainOfEncryptedCode)
  await kms.send(new DisableKeyCommand({ KeyId: one }))
  await refused(sealed.VolumeId, {}, keyUnusableCode)
})
