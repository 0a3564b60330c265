import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { databases } from '../../test/databases.ts'
import { transaction, type Tx } from '../db/database.ts'
import { digestOf } from '../lib/digest.ts'
import { insertInstance } from '../instances/store.ts'
import { anInstance } from '../instances/testing.ts'
import type { Attachment } from './attachment.ts'
import {
  changeAttachmentState,
  changeVolumeState,
  deleteAttachment,
  deleteVolumeRow,
  findAttachment,
  findVolume,
  findVolumeById,
  insertAttachment,
  insertVolume,
  listAttachments,
  listBases,
  listVolumes,
  setDeleteOnTermination,
  setKnown,
} from './store.ts'
import { aVolume } from './testing.ts'
import type { Volume } from './volume.ts'

const accountId = '111111111111'
const region = 'us-east-1'
const manifest = digestOf(Buffer.from('a disk'))

/** Made from a snapshot. */
const volume = (number: number, changes: Partial<Volume> = {}): Volume =>
  aVolume(number, {
    snapshotId: 'snap-00000000000000001',
    state: 'creating',
    baseManifest: manifest,
    knownManifest: manifest,
    knownSnapshotId: 'snap-00000000000000001',
    ...changes,
  })

const [first, second] = [volume(1), volume(2)]
const { id: instanceId } = anInstance(1)

const attachment: Attachment = {
  volumeId: first.id,
  instanceId,
  device: '/dev/sdf',
  state: 'attaching',
  isDetachForced: false,
  deleteOnTermination: false,
  attachedAt: new Date(2_000_000),
}

async function insertAttached(tx: Tx): Promise<void> {
  await insertInstance(tx, anInstance(1))
  await insertVolume(tx, first)
  await insertVolume(tx, second)
  await insertAttachment(tx, attachment)
}

for (const [name, start] of Object.entries(databases)) {
  describe(`volumes on ${name}`, () => {
    test('a volume comes back as it was recorded', async (context) => {
      const { writes, reads } = await start(context)
      const blank = volume(2, {
        type: 'st1',
        sizeGiB: 16_384,
        iops: undefined,
        throughput: undefined,
        snapshotId: undefined,
        baseManifest: undefined,
        knownManifest: undefined,
        knownSnapshotId: undefined,
      })
      await transaction(writes, async (tx) => {
        await insertVolume(tx, first)
        await insertVolume(tx, blank)
      })
      assert.deepEqual(await findVolumeById(reads, first.id), first)
      assert.deepEqual(await listVolumes(reads, { accountId, region }), [first, blank])
      assert.deepEqual(await listBases(reads), [{ manifest, keyId: undefined }])
      await transaction(writes, (tx) => deleteVolumeRow(tx, first.id))
      assert.equal(await findVolumeById(reads, first.id), undefined)
    })

    test('a volume is found by its owner in its Region only', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, (tx) => insertVolume(tx, first))
      const find = (accountId: string, region: string) =>
        findVolume(reads, { accountId, region, id: first.id })
      assert.deepEqual(await find(accountId, region), first)
      assert.equal(await find('222222222222', region), undefined)
      assert.equal(await find(accountId, 'eu-west-1'), undefined)
      const ids = [second.id]
      assert.deepEqual(await listVolumes(reads, { accountId, region, ids }), [])
    })

    test('a state changes only from the one expected', async (context) => {
      const { writes, reads } = await start(context)
      const change = (from: Volume['state'], to: Volume['state']) =>
        transaction(writes, (tx) => changeVolumeState(tx, { id: first.id, from, to }))
      await transaction(writes, (tx) => insertVolume(tx, first))
      assert.equal(await change('available', 'in-use'), false)
      assert.equal(await change('creating', 'available'), true)
      assert.equal((await findVolumeById(reads, first.id))?.state, 'available')
    })

    test('what is known of a volume only grows', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, (tx) => insertVolume(tx, first))
      const know = (layer: number) =>
        transaction(writes, (tx) =>
          setKnown(tx, { id: first.id, layer, manifest, snapshotId: 'snap-00000000000000002' }),
        )
      assert.equal(await know(3), true)
      assert.equal(await know(2), false)
      assert.equal((await findVolumeById(reads, first.id))?.knownLayer, 3)
    })

    test('no two attachments hold one volume, nor one device', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, insertAttached)
      const attach = (changes: Partial<Attachment>) =>
        transaction(writes, (tx) => insertAttachment(tx, { ...attachment, ...changes }))
      await assert.rejects(attach({ device: '/dev/sdg' }))
      await assert.rejects(attach({ volumeId: second.id }))
      await attach({ volumeId: second.id, device: '/dev/sdg' })
      const found = await listAttachments(reads, { instanceIds: [instanceId] })
      assert.deepEqual(
        found.map(({ device }) => device),
        ['/dev/sdf', '/dev/sdg'],
      )
    })

    test('an attachment is found by instance, volume and state until it is gone', async (context) => {
      const { writes, reads } = await start(context)
      await transaction(writes, insertAttached)
      assert.deepEqual(await findAttachment(reads, first.id), attachment)
      assert.deepEqual(await listAttachments(reads, { volumeIds: [first.id] }), [attachment])
      assert.deepEqual(await listAttachments(reads, { volumeIds: [] }), [])
      assert.deepEqual(await listAttachments(reads, { states: ['attached'] }), [])
      await transaction(writes, async (tx) => {
        const volumeId = first.id
        await setDeleteOnTermination(tx, { volumeId, value: true })
        const change = {
          volumeId,
          from: 'attaching',
          to: 'detaching',
          isDetachForced: true,
        } as const
        assert.equal(await changeAttachmentState(tx, change), true)
        assert.equal(await changeAttachmentState(tx, change), false)
      })
      const changed = {
        ...attachment,
        state: 'detaching',
        isDetachForced: true,
        deleteOnTermination: true,
      }
      assert.deepEqual(await listAttachments(reads, { states: ['detaching'] }), [changed])
      await transaction(writes, (tx) => deleteAttachment(tx, first.id))
      assert.equal(await findAttachment(reads, first.id), undefined)
    })
  })
}
