/**
 * The EBS direct APIs through the SDK's own client, 8 calls in flight: putting blocks
 * that the store does not have, then the same blocks into another snapshot, and
 * getting them back. One half of each block cannot be compressed, which is more
 * than disks have of it.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { Agent } from 'node:http'
import { join } from 'node:path'
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs'
import { until } from './commands.ts'
import { scratchFolder } from './disks.ts'
import { printTable, spread, timed } from './figures.ts'
import { type RunningService, startService } from './start-service.ts'

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const blocks = 512
const inFlight = 8
const blockBytes = 512 * 1024
const mebibytes = (blocks * blockBytes) / 2 ** 20

interface Block {
  readonly data: Buffer
  readonly checksum: string
}

export async function benchEbs(): Promise<void> {
  await using folder = await scratchFolder()
  const data = join(folder.path, 'imago')
  await mkdir(data)
  await using service = await startService(data)
  const { endpoint, keyId, secret, region } = service.server
  const ebs = new EBSClient({
    endpoint,
    region,
    credentials: { accessKeyId: keyId, secretAccessKey: secret },
    requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: inFlight }) },
  })
  let [fresh, again, read] = [newFigures(), newFigures(), newFigures()]
  // The first round is left out: in it, both programs are compiled while they run.
  for (let round = -1; round < rounds; round++) {
    if (round === 0) [fresh, again, read] = [newFigures(), newFigures(), newFigures()]
    const disk = Array.from({ length: blocks }, newBlock)
    const first = await start(ebs)
    await measure(service, fresh, () => putAll(ebs, first, disk))
    const second = await start(ebs)
    await measure(service, again, () => putAll(ebs, second, disk))
    await complete(ebs, second)
    const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: second }))
    assert.equal(Blocks.length, blocks)
    const getAll = inLanes(Blocks, async ({ BlockIndex, BlockToken }) => {
      const wanted = { SnapshotId: second, BlockIndex, BlockToken }
      const got = await ebs.send(new GetSnapshotBlockCommand(wanted))
      const bytes = await got.BlockData?.transformToByteArray()
      assert.equal(bytes?.length, blockBytes)
    })
    await measure(service, read, getAll)
  }
  ebs.destroy()
  const { peakMiB } = await service.memory()
  console.log(
    `The EBS direct APIs by the SDK, ${blocks} blocks, ${inFlight} in flight, ${rounds} rounds ` +
      `(median, and range); the service took ${peakMiB.toFixed(0)} MiB at most. The client has its ` +
      `share of the same processors, so what both took of them stands beside it\n`,
  )
  const row = (name: string, { speed, service: own, client }: Figures) => [
    name,
    spread(speed),
    spread(own),
    spread(client),
  ]
  printTable([
    ['call', 'MiB/s', 'processor ms a block: service', 'client'],
    row('PutSnapshotBlock, new content', fresh),
    row('PutSnapshotBlock, content that is there', again),
    row('GetSnapshotBlock', read),
  ])
}

interface Figures {
  readonly speed: number[]
  /** Milliseconds of a processor for each block. */
  readonly service: number[]
  readonly client: number[]
}

const newFigures = (): Figures => ({ speed: [], service: [], client: [] })

async function measure(
  service: RunningService,
  figures: Figures,
  work: () => Promise<unknown>,
): Promise<void> {
  const before = await service.processorSeconds()
  const clientBefore = process.cpuUsage()
  figures.speed.push(mebibytes / ((await timed(work)) / 1000))
  const { user, system } = process.cpuUsage(clientBefore)
  figures.client.push((user + system) / 1000 / blocks)
  figures.service.push((((await service.processorSeconds()) - before) * 1000) / blocks)
}

function newBlock(): Block {
  const data = Buffer.alloc(blockBytes, 'as text is ')
  randomBytes(blockBytes / 2).copy(data)
  return { data, checksum: createHash('sha256').update(data).digest('base64') }
}

async function start(ebs: EBSClient): Promise<string> {
  const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }))
  assert(SnapshotId)
  return SnapshotId
}

async function putAll(ebs: EBSClient, SnapshotId: string, disk: readonly Block[]): Promise<void> {
  const put = inLanes([...disk.entries()], async ([BlockIndex, { data, checksum }]) => {
    await ebs.send(
      new PutSnapshotBlockCommand({
        SnapshotId,
        BlockIndex,
        BlockData: data,
        DataLength: blockBytes,
        Checksum: checksum,
        ChecksumAlgorithm: 'SHA256',
      }),
    )
  })
  await put()
}

async function complete(ebs: EBSClient, SnapshotId: string): Promise<void> {
  await until(
    async () => {
      const asked = new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: blocks })
      return (await ebs.send(asked)).Status === 'completed' ? true : undefined
    },
    { everyMs: 20 },
  )
}

function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): () => Promise<void> {
  return async () => {
    const left = items.values()
    const lane = async () => {
      for (const item of left) await work(item)
    }
    await Promise.all(Array.from({ length: inFlight }, lane))
  }
}
