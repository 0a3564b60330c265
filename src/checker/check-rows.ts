/**
 * What the rows say among themselves: that each promise is somebody's to keep,
 * that attachments and the states of volumes agree, and that what was made was
 * asked for by a call that is on record.
 */
import { listTimesOfChanges } from '../audit/store.ts'
import type { Database } from '../db/database.ts'
import { listDirectUnderWay } from '../ebs-direct/store.ts'
import { findFreeze } from '../freezes/store.ts'
import { type InstanceState, stateCodes } from '../instances/instance.ts'
import { listByState } from '../instances/store.ts'
import { listInterfaces } from '../network/interface-store.ts'
import { listCopiesUnderWay } from '../snapshot-copies/store.ts'
import { listSnapshotsOfCopies } from '../snapshots/copy-store.ts'
import { listPendingSnapshots } from '../snapshots/store.ts'
import { listRestoredSnapshots } from '../stored-images/store.ts'
import { listReplacementsUnderWay } from '../root-replacements/store.ts'
import { listAllVolumes, listAttachments } from '../volumes/store.ts'
import type { Finding } from './finding.ts'

export async function* checkRows(db: Database): AsyncGenerator<Finding> {
  const instances = new Map(
    (await listByState(db, Object.keys(stateCodes) as InstanceState[])).map((one) => [one.id, one]),
  )
  const volumes = new Map((await listAllVolumes(db)).map((volume) => [volume.id, volume]))
  const attachments = new Map((await listAttachments(db, {})).map((one) => [one.volumeId, one]))

  for (const { volumeId, instanceId } of attachments.values()) {
    const about = volumeId
    if (!volumes.has(volumeId)) yield { about, what: 'is attached and does not exist' }
    const state = instances.get(instanceId)?.state
    if (state === undefined || state === 'terminated') {
      yield { about, what: `is attached to ${instanceId}, which is ${state ?? 'not there'}` }
    }
  }
  // The volume that is to be a root is kept for it until the two are swapped.
  const kept = new Set((await listReplacementsUnderWay(db)).map((task) => task.newVolumeId))
  for (const { id, state } of volumes.values()) {
    const isAttached = attachments.has(id)
    if (state === 'in-use' && !isAttached && !kept.has(id))
      yield { about: id, what: 'is in use by nobody' }
    if (isAttached && (state === 'available' || state === 'deleting')) {
      yield { about: id, what: `is attached and ${state}` }
    }
  }
  for (const { id, attachment } of await listInterfaces(db, {})) {
    const instance = attachment && instances.get(attachment.instanceId)
    if (attachment && (!instance || instance.state === 'terminated')) {
      yield { about: id, what: `is left over of ${attachment.instanceId}` }
    }
  }
  const others = new Set([
    ...(await listCopiesUnderWay(db)),
    ...(await listDirectUnderWay(db)),
    ...(await listRestoredSnapshots(db)),
  ])
  for (const { id, volumeId, freezeId, layer } of await listPendingSnapshots(db)) {
    if (others.has(id)) continue
    const freeze = freezeId && (await findFreeze(db, freezeId))
    if (!freeze) yield { about: id, what: 'is pending, and nobody will freeze its volume' }
    else if (freeze.state === 'done' && layer === undefined) {
      yield { about: id, what: 'is pending, and was left out when its volume was frozen' }
    }
    if (!volumes.has(volumeId)) yield { about: id, what: 'is pending, and its volume is gone' }
  }
  const copied = await listSnapshotsOfCopies(db)
  for (const { id, copyVolumeId } of copied) {
    if (!volumes.has(copyVolumeId))
      yield { about: id, what: `is for ${copyVolumeId}, which is not` }
  }
  const moments = new Set(copied.map((one) => one.copyVolumeId))
  for (const { id, state, sourceVolumeId, baseManifest } of volumes.values()) {
    if (state === 'creating' && sourceVolumeId && !baseManifest && !moments.has(id)) {
      yield { about: id, what: `waits for a moment of ${sourceVolumeId} that nobody took` }
    }
  }
  const changes = await listTimesOfChanges(db)
  for (const { id, createdAt } of volumes.values()) {
    if (!changes.has(createdAt.getTime())) {
      yield { about: id, what: 'was made by no call that is on record' }
    }
  }
}
