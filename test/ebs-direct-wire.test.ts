/**
 * What lies under the EBS direct APIs: blocks that are not signed themselves, but by their
 * checksum; and a service that is killed between blocks, which keeps each that it answered.
 */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  type GetSnapshotBlockCommandInput,
  type GetSnapshotBlockCommandOutput,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from '@aws-sdk/client-ebs'
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '../src/cli/sha256.ts'
import { KillableServer } from './killable-server.ts'
import { region, startSystem } from './system.ts'

const blockBytes = 512 * 1024
const checksumOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64')

test('a block may be signed, or its checksum in its place, and not neither', async (context) => {
  const system = await startSystem(context)
  const { endpoint } = system
  const settings = system.settingsWith()
  const ebs = new EBSClient(settings)
  context.after(() => ebs.destroy())
  const { SnapshotId } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1 }))
  const data = randomBytes(blockBytes)

  /** Puts a block by hand; `sent` goes where `data` was signed for. */
  const put = async (
    payload: 'said' | 'silent' | 'signed',
    { sent = data, checksum = checksumOf(data), isChecksumSigned = true } = {},
  ) => {
    const url = new URL(`/snapshots/${SnapshotId}/blocks/7`, endpoint)
    const signer = new SignatureV4({
      service: 'ebs',
      region,
      credentials: settings.credentials,
      sha256: Sha256,
      applyChecksum: payload !== 'silent',
    })
    const checksums = { 'x-amz-checksum': checksum }
    const headers = {
      host: url.host,
      'x-amz-data-length': String(blockBytes),
      'x-amz-checksum-algorithm': 'SHA256',
      ...(isChecksumSigned && checksums),
      ...(payload === 'said' && { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }),
    }
    const signed = await signer.sign({
      method: 'PUT',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query: {},
      headers,
      // The signer takes for unsigned what it cannot read.
      body: payload === 'signed' ? data : Readable.from([]),
    })
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { ...signed.headers, ...checksums },
      body: sent,
    })
    const { Reason = '' } = (await answer.json()) as { Reason?: string }
    return `${answer.status} ${answer.headers.get('x-amzn-errortype') ?? ''} ${Reason}`.trim()
  }

  for (const payload of ['said', 'silent', 'signed'] as const) {
    assert.equal(await put(payload), '201', payload)
    // What was signed is its checksum, and this block has another.
    const other = await put(payload, { sent: randomBytes(blockBytes) })
    assert.equal(other, '400 ValidationException INVALID_BLOCK', payload)
  }
  const forged = { isChecksumSigned: false }
  assert.equal(await put('said', forged), '403 InvalidSignatureException')
  assert.equal(await put('silent', forged), '403 InvalidSignatureException')
  assert.equal(await put('signed', forged), '201')
  const sent = { sent: randomBytes(blockBytes) }
  assert.equal(await put('signed', { ...forged, ...sent }), '403 InvalidSignatureException')
})

test('a service that is killed between blocks keeps each that it answered', async (context) => {
  const server = await KillableServer.make(context)
  await server.start()
  const start = new StartSnapshotCommand({ VolumeSize: 1 })
  const { SnapshotId } = await new EBSClient(server.settings).send(start)
  assert(SnapshotId)
  const answered = new Map<number, Buffer>()
  for (let life = 0; life < 2; life++) {
    const ebs = new EBSClient(server.settings)
    let next = life * 100
    let isKilled = false
    const lane = async () => {
      while (!isKilled) {
        const BlockIndex = next++
        const BlockData = randomBytes(blockBytes)
        const block = { BlockData, DataLength: blockBytes, Checksum: checksumOf(BlockData) }
        const wanted = { SnapshotId, BlockIndex, ChecksumAlgorithm: 'SHA256', ...block } as const
        try {
          await ebs.send(new PutSnapshotBlockCommand(wanted))
          answered.set(BlockIndex, BlockData)
        } catch {
          isKilled = true
        }
        if (answered.size >= (life + 1) * 12) await server.kill()
      }
    }
    await Promise.all(Array.from({ length: 8 }, lane))
    ebs.destroy()
    await server.kill()
    await server.start()
    assert.deepEqual(await server.check(), [])
  }

  const ebs = new EBSClient(server.settings)
  context.after(() => ebs.destroy())
  // Of the last ones under way some were kept, though nobody was told.
  const complete = (ChangedBlocksCount: number) =>
    ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount })).then(
      () => ChangedBlocksCount,
      () => undefined,
    )
  let count: number | undefined
  for (let more = 0; count === undefined && more <= 24; more++) {
    count = await complete(answered.size + more)
  }
  assert(count !== undefined)
  // An answered completion is kept, too.
  await server.kill()
  await server.start()
  const again = new EBSClient(server.settings)
  context.after(() => again.destroy())
  const { Blocks = [] } = await server.until('the snapshot', () =>
    again.send(new ListSnapshotBlocksCommand({ SnapshotId })).catch(() => undefined),
  )
  assert.equal(Blocks.length, count)
  const tokens = new Map(Blocks.map(({ BlockIndex, BlockToken }) => [BlockIndex, BlockToken]))
  for (const [BlockIndex, data] of answered) {
    const BlockToken: string | undefined = tokens.get(BlockIndex)
    const wanted: GetSnapshotBlockCommandInput = { SnapshotId, BlockIndex, BlockToken }
    const got: GetSnapshotBlockCommandOutput = await again.send(new GetSnapshotBlockCommand(wanted))
    const bytes: Uint8Array | undefined = await got.BlockData?.transformToByteArray()
    assert(bytes && data.equals(bytes))
  }
  assert.deepEqual(await server.check(), [])
})
