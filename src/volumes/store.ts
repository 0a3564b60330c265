/** The `volumes` and `volume_attachments` tables. Nothing else reads or writes them. */
import assert from 'node:assert/strict'
import type { Selectable } from 'kysely'
import { toFlag } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import { type Digest, parseDigest } from '../lib/digest.ts'
import { inChunks } from '../lib/chunks.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import type { Base } from '../qemu/base-files.ts'
import type { Attachment, AttachmentState } from './attachment.ts'
import { isVolumeType, type VolumeShape } from './volume-type.ts'
import type { Volume, VolumeState } from './volume.ts'

export async function insertVolume(tx: Tx, volume: Volume): Promise<void> {
  const row = {
    id: volume.id,
    account_id: volume.accountId,
    region: volume.region,
    availability_zone: volume.availabilityZone,
    size_gib: volume.sizeGiB,
    type: volume.type,
    iops: volume.iops ?? null,
    throughput: volume.throughput ?? null,
    initialization_rate: volume.initializationRate ?? null,
    is_fast_restored: toFlag(volume.isFastRestored),
    snapshot_id: volume.snapshotId ?? null,
    source_volume_id: volume.sourceVolumeId ?? null,
    state: volume.state,
    state_message: volume.stateMessage ?? null,
    created_at_ms: volume.createdAt.getTime(),
    base_manifest: volume.baseManifest ?? null,
    known_layer: volume.knownLayer,
    known_manifest: volume.knownManifest ?? null,
    known_snapshot_id: volume.knownSnapshotId ?? null,
    kms_key_id: volume.kmsKeyArn ?? null,
    base_kms_key_id: volume.baseKmsKeyArn ?? null,
  }
  await tx.insertInto('volumes').values(row).execute()
}

/** A volume of the account's own in a Region. One in the Recycle Bin is not found. */
export async function findVolume(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly id: Id<'volume'> },
): Promise<Volume | undefined> {
  const volume = await findVolumeById(db, query.id)
  const isOwn = volume?.accountId === query.accountId && volume.region === query.region
  return isOwn && !volume.recycledAt ? volume : undefined
}

export async function findVolumeById(db: Database, id: Id<'volume'>): Promise<Volume | undefined> {
  const row = await db.selectFrom('volumes').selectAll().where('id', '=', id).executeTakeFirst()
  return row && volumeFromRow(row)
}

/** The volumes of an account in a Region, or those of them with these ids, in the order of ids. */
export async function listVolumes(
  db: Database,
  query: Owner & {
    readonly ids?: readonly Id<'volume'>[]
  },
): Promise<readonly Volume[]> {
  const own = db
    .selectFrom('volumes')
    .selectAll()
    .where('account_id', '=', query.accountId)
    .where('region', '=', query.region)
    .where('recycled_at_ms', 'is', null)
    .orderBy('id')
  const rows = []
  if (query.ids) {
    for (const ids of inChunks(query.ids))
      rows.push(...(await own.where('id', 'in', ids).execute()))
  } else {
    rows.push(...(await own.execute()))
  }
  return rows.map(volumeFromRow)
}

/** The volumes in a state, whosever they are. */
export async function listVolumesInState(
  db: Database,
  state: VolumeState,
): Promise<readonly Volume[]> {
  const rows = await db
    .selectFrom('volumes')
    .selectAll()
    .where('state', '=', state)
    .orderBy('id')
    .execute()
  return rows.map(volumeFromRow)
}

/** Every volume in the Recycle Bin, whosever it is, in the order of ids. */
export async function listRecycled(db: Database): Promise<readonly Volume[]> {
  const rows = await db
    .selectFrom('volumes')
    .selectAll()
    .where('recycled_at_ms', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map(volumeFromRow)
}

/** Every volume, whosever it is. */
export async function listAllVolumes(db: Database): Promise<readonly Volume[]> {
  const rows = await db.selectFrom('volumes').selectAll().orderBy('id').execute()
  return rows.map(volumeFromRow)
}

/** Every base that some volume lies over. */
export async function listBases(db: Database): Promise<readonly Base[]> {
  const rows = await db
    .selectFrom('volumes')
    .select(['base_manifest', 'kms_key_id'])
    .distinct()
    .where('base_manifest', 'is not', null)
    .execute()
  return rows.flatMap(({ base_manifest: manifest, kms_key_id: keyId }) =>
    manifest === null ? [] : [{ manifest: parseDigest(manifest), keyId: keyId ?? undefined }],
  )
}

/** Every manifest that a volume is made of, or that its next snapshot goes on from. */
export async function listVolumeManifests(db: Database): Promise<readonly Digest[]> {
  const rows = await db
    .selectFrom('volumes')
    .select(['base_manifest', 'known_manifest'])
    .distinct()
    .execute()
  const named = rows.flatMap((row) => [row.base_manifest, row.known_manifest])
  return named.filter((text) => text !== null).map(parseDigest)
}

/** Changes the state where it is the one expected, and outside of the Recycle Bin. Tells whether it was. */
export async function changeVolumeState(
  tx: Tx,
  change: {
    readonly id: Id<'volume'>
    readonly from: VolumeState | readonly VolumeState[]
    readonly to: VolumeState
    readonly message?: string
  },
): Promise<boolean> {
  const from = typeof change.from === 'string' ? [change.from] : change.from
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({ state: change.to, state_message: change.message ?? null })
    .where('id', '=', change.id)
    .where('state', 'in', from)
    .where('recycled_at_ms', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Notes what the layers up to `layer` hold, where no more is known. Tells whether it was news. */
export async function setKnown(
  tx: Tx,
  known: {
    readonly id: Id<'volume'>
    readonly layer: number
    readonly manifest: Digest
    readonly snapshotId: Id<'snapshot'> | undefined
  },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({
      known_layer: known.layer,
      known_manifest: known.manifest,
      known_snapshot_id: known.snapshotId ?? null,
    })
    .where('id', '=', known.id)
    .where('known_layer', '<', known.layer)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Gives a copy the disk that it lies over, where it has none yet. Tells whether it had none. */
export async function setBase(
  tx: Tx,
  { id, kmsKeyArn }: Pick<Volume, 'id' | 'kmsKeyArn'>,
  base: { readonly manifest: Digest; readonly kmsKeyArn?: string },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('volumes')
    .set({
      base_manifest: base.manifest,
      base_kms_key_id: base.kmsKeyArn ?? null,
      // Under another key the same content has other names.
      known_manifest: base.kmsKeyArn === kmsKeyArn ? base.manifest : null,
    })
    .where('id', '=', id)
    .where('state', '=', 'creating')
    .where('base_manifest', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Says what the volume shall be. Its files follow. */
export async function setVolumeShape(
  tx: Tx,
  id: Id<'volume'>,
  { sizeGiB, type, iops, throughput }: VolumeShape,
): Promise<void> {
  await tx
    .updateTable('volumes')
    .set({ size_gib: sizeGiB, type, iops: iops ?? null, throughput: throughput ?? null })
    .where('id', '=', id)
    .execute()
}

/** Whether the volume may be used again at once after it may have been damaged. */
export async function readAutoEnableIO(db: Database, id: Id<'volume'>): Promise<boolean> {
  const row = await db
    .selectFrom('volumes')
    .select('auto_enable_io')
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.auto_enable_io === 1
}

export async function setAutoEnableIO(tx: Tx, id: Id<'volume'>, isAuto: boolean): Promise<void> {
  await tx
    .updateTable('volumes')
    .set({ auto_enable_io: toFlag(isAuto) })
    .where('id', '=', id)
    .execute()
}

export async function deleteVolumeRow(tx: Tx, id: Id<'volume'>): Promise<void> {
  await tx.deleteFrom('volumes').where('id', '=', id).execute()
}

/** Records an attachment. A volume that has one already is refused by the database. */
export async function insertAttachment(tx: Tx, attachment: Attachment): Promise<void> {
  const row = {
    volume_id: attachment.volumeId,
    instance_id: attachment.instanceId,
    device: attachment.device,
    state: attachment.state,
    is_detach_forced: toFlag(attachment.isDetachForced),
    delete_on_termination: toFlag(attachment.deleteOnTermination),
    attached_at_ms: attachment.attachedAt.getTime(),
  }
  await tx.insertInto('volume_attachments').values(row).execute()
}

export async function findAttachment(
  db: Database,
  volumeId: Id<'volume'>,
): Promise<Attachment | undefined> {
  const row = await db
    .selectFrom('volume_attachments')
    .selectAll()
    .where('volume_id', '=', volumeId)
    .executeTakeFirst()
  return row && attachmentFromRow(row)
}

/** Attachments by instance, by volume, by state; all of them where nothing is said. */
export async function listAttachments(
  db: Database,
  query: {
    readonly instanceIds?: readonly Id<'instance'>[]
    readonly volumeIds?: readonly Id<'volume'>[]
    readonly states?: readonly AttachmentState[]
  },
): Promise<readonly Attachment[]> {
  const { instanceIds, volumeIds, states } = query
  const all = db
    .selectFrom('volume_attachments')
    .selectAll()
    .$if(states !== undefined, (rows) => rows.where('state', 'in', states ?? []))
    .orderBy('instance_id')
    .orderBy('device')
  const rows = []
  if (instanceIds) {
    for (const ids of inChunks(instanceIds)) {
      rows.push(...(await all.where('instance_id', 'in', ids).execute()))
    }
  } else if (volumeIds) {
    for (const ids of inChunks(volumeIds)) {
      rows.push(...(await all.where('volume_id', 'in', ids).execute()))
    }
  } else {
    rows.push(...(await all.execute()))
  }
  return rows.map(attachmentFromRow)
}

/** Changes the state where it is the one expected. Tells whether it was. */
export async function changeAttachmentState(
  tx: Tx,
  change: {
    readonly volumeId: Id<'volume'>
    readonly from: AttachmentState | readonly AttachmentState[]
    readonly to: AttachmentState
    /** Whether the guest is asked before its disk goes. */
    readonly isDetachForced?: boolean
    /** Why it is given up. */
    readonly failure?: string
  },
): Promise<boolean> {
  const { isDetachForced, failure } = change
  const from = typeof change.from === 'string' ? [change.from] : change.from
  const { numUpdatedRows } = await tx
    .updateTable('volume_attachments')
    .set({
      state: change.to,
      ...(isDetachForced !== undefined && { is_detach_forced: toFlag(isDetachForced) }),
      ...(failure !== undefined && { failure }),
    })
    .where('volume_id', '=', change.volumeId)
    .where('state', 'in', from)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function setDeleteOnTermination(
  tx: Tx,
  { volumeId, value }: { readonly volumeId: Id<'volume'>; readonly value: boolean },
): Promise<void> {
  await tx
    .updateTable('volume_attachments')
    .set({ delete_on_termination: toFlag(value) })
    .where('volume_id', '=', volumeId)
    .execute()
}

export async function deleteAttachment(tx: Tx, volumeId: Id<'volume'>): Promise<void> {
  await tx.deleteFrom('volume_attachments').where('volume_id', '=', volumeId).execute()
}

function volumeFromRow(row: Selectable<Tables['volumes']>): Volume {
  assert(isVolumeType(row.type), `${row.id}: no type of volumes: ${row.type}`)
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    availabilityZone: row.availability_zone,
    sizeGiB: row.size_gib,
    type: row.type,
    iops: row.iops ?? undefined,
    throughput: row.throughput ?? undefined,
    ...(row.initialization_rate !== null && { initializationRate: row.initialization_rate }),
    ...(row.is_fast_restored === 1 && { isFastRestored: true as const }),
    snapshotId: row.snapshot_id ?? undefined,
    ...(row.source_volume_id !== null && { sourceVolumeId: row.source_volume_id }),
    state: row.state,
    ...(row.state_message !== null && { stateMessage: row.state_message }),
    createdAt: new Date(row.created_at_ms),
    baseManifest: row.base_manifest === null ? undefined : parseDigest(row.base_manifest),
    knownLayer: row.known_layer,
    knownManifest: row.known_manifest === null ? undefined : parseDigest(row.known_manifest),
    knownSnapshotId: row.known_snapshot_id ?? undefined,
    ...(row.kms_key_id !== null && { kmsKeyArn: row.kms_key_id }),
    ...(row.base_kms_key_id !== null && { baseKmsKeyArn: row.base_kms_key_id }),
    ...(row.recycled_at_ms !== null && { recycledAt: new Date(row.recycled_at_ms) }),
    ...(row.recycle_exit_at_ms !== null && { recycleExitAt: new Date(row.recycle_exit_at_ms) }),
  }
}

function attachmentFromRow(row: Selectable<Tables['volume_attachments']>): Attachment {
  return {
    volumeId: row.volume_id,
    instanceId: row.instance_id,
    device: row.device,
    state: row.state,
    isDetachForced: row.is_detach_forced === 1,
    deleteOnTermination: row.delete_on_termination === 1,
    attachedAt: new Date(row.attached_at_ms),
  }
}
