/** The EBS direct APIs through their own client: snapshots read and written block by block. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  type ListSnapshotBlocksCommandOutput,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
  type StartSnapshotCommandInput,
} from '@aws-sdk/client-ebs'
import {
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2'
import { keyOfBytes } from '../src/block-store/block.ts'
import { manifestDigest, manifestOf } from '../src/block-store/manifest.ts'
import { callImago } from '../src/cli/imago-client.ts'
import { transaction } from '../src/db/database.ts'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { type ClientSettings, region, startSystem, type TestSystem } from './system.ts'

const blockBytes = 512 * 1024
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()
/** A block that zstd has an easy time with, and that no other is equal to. */
const blockOf = (text: string): Buffer => Buffer.alloc(blockBytes, `${text} `)

interface Rig {
  readonly system: TestSystem
  readonly ebs: EBSClient
  readonly start: (input?: Partial<StartSnapshotCommandInput>) => Promise<string>
  readonly put: (SnapshotId: string, index: number, data: Uint8Array) => Promise<unknown>
  readonly complete: (SnapshotId: string, ChangedBlocksCount: number) => Promise<void>
  /** A completed snapshot with those blocks. */
  readonly make: (
    blocks: Readonly<Record<number, Uint8Array>>,
    input?: Partial<StartSnapshotCommandInput>,
  ) => Promise<string>
  /** All that is listed, in pages of 100, read. */
  readonly read: (SnapshotId: string, client?: EBSClient) => Promise<ReadonlyMap<number, Buffer>>
}

async function rigOf(context: TestContext, given?: TestSystem): Promise<Rig> {
  const system = given ?? (await startSystem(context))
  const ebs = clientOf(context, system.settingsWith())
  const start: Rig['start'] = async (input = {}) => {
    const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...input }))
    assert(SnapshotId)
    return SnapshotId
  }
  const put: Rig['put'] = (SnapshotId, BlockIndex, BlockData) =>
    ebs.send(putOf(SnapshotId, BlockIndex, BlockData))
  const complete: Rig['complete'] = async (SnapshotId, ChangedBlocksCount) => {
    await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount }))
    await system.until('the snapshot', async () => {
      const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })
      return (await system.ec2.send(wanted)).Snapshots?.[0]?.State === 'completed'
    })
  }
  return {
    system,
    ebs,
    start,
    put,
    complete,
    async make(blocks, input) {
      const id = await start(input)
      const entries = Object.entries(blocks)
      await Promise.all(entries.map(([index, block]) => put(id, Number(index), block)))
      await complete(id, entries.length)
      return id
    },
    async read(SnapshotId, client = ebs) {
      const found = new Map<number, Buffer>()
      let NextToken: string | undefined
      do {
        const query = { SnapshotId, MaxResults: 100, ...(NextToken && { NextToken }) }
        const page: ListSnapshotBlocksCommandOutput = await client.send(
          new ListSnapshotBlocksCommand(query),
        )
        for (const { BlockIndex, BlockToken } of page.Blocks ?? []) {
          assert(BlockIndex !== undefined)
          found.set(BlockIndex, await getBlock(client, { SnapshotId, BlockIndex, BlockToken }))
        }
        NextToken = page.NextToken
      } while (NextToken)
      return found
    },
  }
}

function clientOf(context: TestContext, settings: ClientSettings): EBSClient {
  const client = new EBSClient(settings)
  context.after(() => client.destroy())
  return client
}

function putOf(SnapshotId: string, BlockIndex: number, BlockData: Uint8Array, more = {}) {
  return new PutSnapshotBlockCommand({
    SnapshotId,
    BlockIndex,
    BlockData,
    DataLength: BlockData.length,
    Checksum: sha256(BlockData).toString('base64'),
    ChecksumAlgorithm: 'SHA256',
    ...more,
  })
}

async function getBlock(
  client: EBSClient,
  input: { SnapshotId: string; BlockIndex: number; BlockToken: string | undefined },
): Promise<Buffer> {
  const got = await client.send(new GetSnapshotBlockCommand(input))
  const bytes = Buffer.from((await got.BlockData?.transformToByteArray()) ?? [])
  assert.equal(got.DataLength, blockBytes)
  assert.equal(got.ChecksumAlgorithm, 'SHA256')
  assert.equal(got.Checksum, sha256(bytes).toString('base64'))
  return bytes
}

/** The digest that a disk of 1 GiB with those blocks has, worked out here. */
function digestOfDisk(blocks: Readonly<Record<number, Uint8Array>>): string {
  const keys = Object.entries(blocks).map(
    ([index, block]) => [Number(index), keyOfBytes(block)] as const,
  )
  return manifestDigest(manifestOf(2 ** 30, new Map(keys)))
}

async function contentOf({ imago, endpoint }: TestSystem, id: string) {
  const access = { endpoint, region, key: imago.rootKey }
  return await callImago(access, 'GET', `/imago/v1/snapshots/${id}`)
}

test('a disk is written from scratch, becomes a volume and an image, and is read back whole', async (context) => {
  const { system, ebs, put, read } = await rigOf(context)
  const blocks: Record<number, Buffer> = { 0: randomBytes(blockBytes), 2047: blockOf('last') }
  for (let index = 1; index <= 120; index++) blocks[index * 7] = blockOf(`block ${index}`)

  const started = await ebs
    .send(
      new StartSnapshotCommand({
        VolumeSize: 1,
        Description: 'from scratch',
        Tags: [{ Key: 'of', Value: 'a backup' }],
        Timeout: 10,
        ClientToken: 'one token',
      }),
    )
    .catch((error: Error) => error)
  assert(started instanceof Error && started.name === 'ValidationException')
  const input = {
    VolumeSize: 1,
    Description: 'from scratch',
    Tags: [{ Key: 'of', Value: 'a backup' }],
    Timeout: 10,
    ClientToken: 'one-token',
  }
  const first = await ebs.send(new StartSnapshotCommand(input))
  const again = await ebs.send(new StartSnapshotCommand(input))
  const { SnapshotId } = first
  assert(SnapshotId)
  assert.equal(again.SnapshotId, SnapshotId)
  assert.deepEqual(
    [first.Status, first.BlockSize, first.VolumeSize, first.OwnerId, first.Tags],
    ['pending', blockBytes, 1, '123456789012', input.Tags],
  )
  await assert.rejects(ebs.send(new StartSnapshotCommand({ ...input, VolumeSize: 2 })), {
    name: 'ConflictException',
  })
  const shown = await system.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }))
  const [pending] = shown.Snapshots ?? []
  assert.deepEqual(
    [pending?.State, pending?.VolumeSize, pending?.Description, pending?.Tags],
    ['pending', 1, 'from scratch', input.Tags],
  )
  await assert.rejects(ebs.send(new ListSnapshotBlocksCommand({ SnapshotId })), {
    name: 'ValidationException',
    Reason: 'INVALID_SNAPSHOT_ID',
  })

  // What is put again is what counts, and equal blocks are one.
  await ebs.send(putOf(SnapshotId, 0, blockOf('before'), { Progress: 20 }))
  const halfWay = await system.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }))
  assert.equal(halfWay.Snapshots?.[0]?.Progress, '20%')
  const entries = Object.entries(blocks).map(([index, block]) => [Number(index), block] as const)
  await Promise.all(entries.map(([index, block]) => put(SnapshotId, index, block)))
  const linear = sha256(Buffer.concat(entries.map(([, block]) => sha256(block))))
  const whole = {
    SnapshotId,
    ChangedBlocksCount: entries.length,
    Checksum: linear.toString('base64'),
    ChecksumAlgorithm: 'SHA256',
    ChecksumAggregationMethod: 'LINEAR',
  } as const
  const wrong = { name: 'ValidationException', Reason: 'INVALID_PARAMETER_VALUE' }
  await assert.rejects(
    ebs.send(new CompleteSnapshotCommand({ ...whole, ChangedBlocksCount: 1 })),
    wrong,
  )
  const other = { ...whole, Checksum: sha256(linear).toString('base64') }
  await assert.rejects(ebs.send(new CompleteSnapshotCommand(other)), {
    name: 'ValidationException',
    Reason: 'INVALID_BLOCK',
  })
  const completed = await ebs.send(new CompleteSnapshotCommand(whole))
  assert.equal(completed.Status, 'pending')
  await system.until('the snapshot', async () => {
    const { Status } = await ebs.send(new CompleteSnapshotCommand(whole))
    return Status === 'completed'
  })
  await assert.rejects(put(SnapshotId, 0, blockOf('late')), {
    name: 'ValidationException',
    Reason: 'INVALID_SNAPSHOT_ID',
  })
  assert.equal((await contentOf(system, SnapshotId))['manifest'], digestOfDisk(blocks))
  const found = await read(SnapshotId)
  assert.deepEqual(
    [...found.keys()],
    entries.map(([index]) => index),
  )
  for (const [index, block] of found) assert(block.equals(blocks[index] ?? Buffer.alloc(0)))

  const { VolumeId } = await system.ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, SnapshotId }),
  )
  await system.until('the volume', async () => {
    const wanted = new DescribeVolumesCommand({ VolumeIds: [VolumeId ?? ''] })
    return (await system.ec2.send(wanted)).Volumes?.[0]?.State === 'available'
  })
  await registerBlank(system, SnapshotId, { Name: 'of a backup' })
})

test('a snapshot with a parent has its blocks, and the difference of the two is listed', async (context) => {
  const { system, ebs, make, read } = await rigOf(context)
  const zeros = Buffer.alloc(blockBytes)
  const before = { 0: blockOf('a'), 1: blockOf('b'), 2: blockOf('c') }
  const parent = await make(before)
  const child = await make(
    { 1: blockOf('B'), 2: zeros, 5: blockOf('f') },
    { ParentSnapshotId: parent },
  )
  const after = { 0: blockOf('a'), 1: blockOf('B'), 5: blockOf('f') }
  assert.equal((await contentOf(system, child))['manifest'], digestOfDisk(after))
  assert.deepEqual([...(await read(child)).keys()], [0, 1, 5])

  const ids = { FirstSnapshotId: parent, SecondSnapshotId: child }
  const listed = await ebs.send(new ListChangedBlocksCommand(ids))
  const { ChangedBlocks = [], ExpiryTime, BlockSize, VolumeSize, NextToken } = listed
  assert.deepEqual([BlockSize, VolumeSize, NextToken], [blockBytes, 1, undefined])
  assert(ExpiryTime && ExpiryTime.getTime() > Date.now() + 6 * 24 * 60 * 60 * 1000)
  const changes = ChangedBlocks.map(({ BlockIndex, FirstBlockToken, SecondBlockToken }) => [
    BlockIndex,
    FirstBlockToken !== undefined,
    SecondBlockToken !== undefined,
  ])
  assert.deepEqual(changes, [
    [1, true, true],
    [2, true, true],
    [5, false, true],
  ])
  const [, gone] = ChangedBlocks
  const now = await getBlock(ebs, {
    SnapshotId: child,
    BlockIndex: 2,
    BlockToken: gone?.SecondBlockToken,
  })
  assert(now.equals(zeros))
  const was = await getBlock(ebs, {
    SnapshotId: parent,
    BlockIndex: 2,
    BlockToken: gone?.FirstBlockToken,
  })
  assert(was.equals(before[2]))
  const fromTwo = await ebs.send(new ListChangedBlocksCommand({ ...ids, StartingBlockIndex: 2 }))
  assert.deepEqual(
    fromTwo.ChangedBlocks?.map(({ BlockIndex }) => BlockIndex),
    [2, 5],
  )

  // A parent that is deleted while its child is open takes nothing from it.
  const grandchild = await make({}, { ParentSnapshotId: child })
  assert.equal((await contentOf(system, grandchild))['manifest'], digestOfDisk(after))
  const toGrandchild = { FirstSnapshotId: parent, SecondSnapshotId: grandchild }
  assert.equal(
    (await ebs.send(new ListChangedBlocksCommand(toGrandchild))).ChangedBlocks?.length,
    3,
  )
  // Of a disk that has grown and one that has not, only what both have can be read of both.
  const grown = await make(
    { 7: blockOf('g'), 2048: blockOf('far') },
    { VolumeSize: 2, ParentSnapshotId: parent },
  )
  const back = { FirstSnapshotId: grown, SecondSnapshotId: parent }
  const shrunk = await ebs.send(new ListChangedBlocksCommand(back))
  assert.deepEqual(
    shrunk.ChangedBlocks?.map(({ BlockIndex }) => BlockIndex),
    [7],
  )
  const stranger = await blankSnapshot(system)
  await assert.rejects(
    ebs.send(new ListChangedBlocksCommand({ FirstSnapshotId: stranger, SecondSnapshotId: child })),
    { name: 'ValidationException', Reason: 'UNRELATED_SNAPSHOTS' },
  )
  await assert.rejects(ebs.send(new ListChangedBlocksCommand({ SecondSnapshotId: child })), {
    name: 'ValidationException',
  })
})

test('a long list comes in pages, which begin where one says', async (context) => {
  const { ebs, make } = await rigOf(context)
  const same = blockOf('the same everywhere')
  const blocks = Object.fromEntries(Array.from({ length: 250 }, (_, at) => [at * 2, same]))
  const SnapshotId = await make(blocks)
  const list = (more: object) => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, ...more }))
  const first = await list({ MaxResults: 100, StartingBlockIndex: 11 })
  const indexes = first.Blocks?.map(({ BlockIndex }) => BlockIndex) ?? []
  assert.deepEqual([indexes.length, indexes[0], indexes.at(-1)], [100, 12, 210])
  const second = await list({ MaxResults: 100, NextToken: first.NextToken })
  assert.equal(second.Blocks?.[0]?.BlockIndex, 212)
  const third = await list({ MaxResults: 100, NextToken: second.NextToken })
  assert.deepEqual([third.Blocks?.length, third.NextToken], [44, undefined])
  assert.deepEqual((await list({ StartingBlockIndex: 5000 })).Blocks, [])
  for (const MaxResults of [99, 10_001]) {
    await assert.rejects(list({ MaxResults }), { Reason: 'INVALID_PARAMETER_VALUE' })
  }
  await assert.rejects(list({ NextToken: 'AAAA' }), { Reason: 'INVALID_PAGE_TOKEN' })
})

test('who may read a snapshot is who it is shared with by name', async (context) => {
  const { system, make, read, start, put } = await rigOf(context)
  const id = await make({ 3: blockOf('shared') })
  const other = clientOf(context, await system.settingsOf('222222222222'))
  const missing = { name: 'ResourceNotFoundException', Reason: 'SNAPSHOT_NOT_FOUND' }
  const denied = { name: 'AccessDeniedException', Reason: 'UNAUTHORIZED_ACCOUNT' }
  await assert.rejects(read(id, other), missing)
  const share = (Add: readonly object[]) =>
    system.ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId: id,
        CreateVolumePermission: { Add: [...Add] },
      }),
    )
  await share([{ Group: 'all' }])
  await assert.rejects(read(id, other), denied)
  await share([{ UserId: '222222222222' }])
  assert((await read(id, other)).get(3)?.equals(blockOf('shared')))
  await assert.rejects(other.send(putOf(id, 0, blockOf('x'))), denied)
  const open = await start()
  await assert.rejects(other.send(putOf(open, 0, blockOf('x'))), missing)
  await put(open, 0, blockOf('mine'))

  const statement = {
    effect: 'Allow',
    actions: ['ebs:ListSnapshotBlocks'],
    resources: [`arn:aws:ec2:${region}::snapshot/${id}`],
  } as const
  const lister = clientOf(context, await system.settingsOf('222222222222', [statement]))
  await lister.send(new ListSnapshotBlocksCommand({ SnapshotId: id }))
  await assert.rejects(read(id, lister), { name: 'AccessDeniedException' })
})

test('what is not right is refused by its name', async (context) => {
  const { ebs, start, make } = await rigOf(context)
  const id = await start()
  const block = blockOf('x')
  const reason = (Reason: string) => ({ name: 'ValidationException', Reason })
  const puts: readonly (readonly [object, string])[] = [
    [{ Checksum: sha256(blockOf('y')).toString('base64') }, 'INVALID_BLOCK'],
    [{ Checksum: 'x' }, 'INVALID_BLOCK'],
    [{ ChecksumAlgorithm: 'MD5' }, 'INVALID_PARAMETER_VALUE'],
    [{ BlockIndex: 2048 }, 'INVALID_BLOCK'],
    [{ BlockIndex: -1 }, 'INVALID_BLOCK'],
    [{ DataLength: 512 }, 'INVALID_BLOCK'],
    [{ BlockData: block.subarray(1) }, 'INVALID_BLOCK'],
    [{ BlockData: Buffer.alloc(0) }, 'INVALID_BLOCK'],
    [{ Progress: 101 }, 'INVALID_PARAMETER_VALUE'],
    [{ SnapshotId: 'snap-x' }, 'INVALID_SNAPSHOT_ID'],
  ]
  for (const [more, expected] of puts) {
    await assert.rejects(ebs.send(putOf(id, 0, block, more)), reason(expected), expected)
  }
  const starts: readonly (readonly [object, object])[] = [
    [{ VolumeSize: 0 }, reason('INVALID_VOLUME_SIZE')],
    [{ VolumeSize: 65_537 }, reason('INVALID_VOLUME_SIZE')],
    [{ Timeout: 9 }, reason('INVALID_PARAMETER_VALUE')],
    [{ Timeout: 4321 }, reason('INVALID_PARAMETER_VALUE')],
    [{ Tags: [{ Key: 'aws:x', Value: '' }] }, reason('INVALID_TAG')],
    [{ Description: 'x'.repeat(256) }, reason('INVALID_PARAMETER_VALUE')],
    [{ ParentSnapshotId: id }, reason('INVALID_SNAPSHOT_ID')],
    [{ ParentSnapshotId: 'snap-0123456789abcdef0' }, { name: 'ResourceNotFoundException' }],
    [{ ParentSnapshotId: id, Encrypted: true }, reason('INVALID_PARAMETER_VALUE')],
    [{ KmsKeyArn: 'arn:aws:kms:us-east-1:123456789012:key/x' }, reason('INVALID_PARAMETER_VALUE')],
  ]
  for (const [more, expected] of starts) {
    await assert.rejects(ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...more })), expected)
  }
  const large = await make({}, { VolumeSize: 2 })
  await assert.rejects(
    ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ParentSnapshotId: large })),
    reason('INVALID_VOLUME_SIZE'),
  )
})

test('a token is good for its block alone, and nothing else that is sent gives a fault', async (context) => {
  const { ebs, make } = await rigOf(context)
  const SnapshotId = await make({ 0: blockOf('a'), 1: blockOf('b') })
  const other = await make({ 0: blockOf('a') })
  const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId }))
  const BlockToken = Blocks[0]?.BlockToken ?? ''
  const get = (more: object) =>
    ebs.send(new GetSnapshotBlockCommand({ SnapshotId, BlockIndex: 0, BlockToken, ...more }))
  assert.equal((await get({})).DataLength, blockBytes)
  const refused = { name: 'ValidationException', Reason: 'INVALID_BLOCK_TOKEN' }
  await assert.rejects(get({ BlockIndex: 1 }), refused)
  await assert.rejects(get({ SnapshotId: other }), refused)
  await assert.rejects(get({ BlockIndex: 2048 }), { Reason: 'INVALID_BLOCK' })
  const bytes = Buffer.from(BlockToken, 'base64')
  for (let at = 0; at < bytes.length; at++) {
    const bent = Buffer.from(bytes)
    bent.writeUInt8(bent.readUInt8(at) ^ (1 << (at % 8)), at)
    await assert.rejects(get({ BlockToken: bent.toString('base64') }), refused)
  }
  for (const text of ['x', '%', '\u{1f600}', BlockToken.slice(1), BlockToken.repeat(50)]) {
    await assert.rejects(get({ BlockToken: text }), refused)
    await assert.rejects(ebs.send(new ListSnapshotBlocksCommand({ SnapshotId, NextToken: text })), {
      name: 'ValidationException',
      Reason: 'INVALID_PAGE_TOKEN',
    })
  }
})

test('a snapshot that nobody writes fails after its timeout, and its blocks are freed', async (context) => {
  const { system, start, put, ebs } = await rigOf(context)
  const id = await start({ Timeout: 10 })
  await put(id, 0, blockOf('abandoned'))
  // Nobody waits ten minutes for it: it was written ten minutes ago.
  await transaction(system.db.writes, async (tx) => {
    await tx
      .updateTable('direct_snapshots')
      .set({ touched_at_ms: Date.now() - 601_000 })
      .execute()
  })
  system.imago.loop.wake()
  const failed = await system.until('the failure', async () => {
    const wanted = new DescribeSnapshotsCommand({ SnapshotIds: [id] })
    const [found] = (await system.ec2.send(wanted)).Snapshots ?? []
    return found?.State === 'error' && found
  })
  assert.match(failed.StateMessage ?? '', /No block was written for 10 minutes/)
  const complete = new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 1 })
  await assert.rejects(ebs.send(complete), { name: 'ValidationException' })
  assert.deepEqual(await system.db.reads.selectFrom('direct_blocks').selectAll().execute(), [])
  await system.ec2.send(new DeleteSnapshotCommand({ SnapshotId: id }))
  assert.deepEqual(await system.db.reads.selectFrom('direct_snapshots').selectAll().execute(), [])
})
