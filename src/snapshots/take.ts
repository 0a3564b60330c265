/**
 * Takes snapshots: of one volume, or of several at one instant. It records the
 * instant as a freeze that is wanted, and the snapshots as promises; those who
 * call this wait with their answer until the freeze is done (`frozen.ts`).
 */
import { type FreezeId, formatFreezeId } from '../freezes/freeze.ts'
import { insertFreeze } from '../freezes/store.ts'
import type { Id } from '../lib/ids.ts'
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import type { Volume } from '../volumes/volume.ts'
import type { WriteCall } from '../wire/operation.ts'
import type { PendingSnapshot } from './snapshot.ts'
import { insertSnapshot } from './store.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'now' | 'newId' | 'randomBytes' | 'caller' | 'region'>

export interface SnapshotWish {
  readonly volume: Pick<Volume, 'id' | 'sizeGiB' | 'kmsKeyArn'>
  readonly description: string
  readonly tags: readonly Tag[]
  /** Where it is taken for a copy of the volume, and nobody is to see it. */
  readonly copyVolumeId?: Id<'volume'>
}

export async function takeSnapshots(
  { tx, now, newId, randomBytes, caller, region }: Call,
  wanted: {
    /** The instance that the volumes are attached to. */
    readonly instanceId: Id<'instance'> | undefined
    /** The machine is shut down for it and started again. */
    readonly withReboot: boolean
    readonly volumes: readonly SnapshotWish[]
  },
): Promise<{ readonly freezeId: FreezeId; readonly snapshots: readonly PendingSnapshot[] }> {
  const { accountId } = caller
  const freezeId = formatFreezeId(randomBytes(8))
  const { instanceId, withReboot } = wanted
  await insertFreeze(tx, { id: freezeId, instanceId, withReboot, state: 'wanted', wantedAt: now })
  const snapshots: PendingSnapshot[] = []
  for (const { volume, description, tags, copyVolumeId } of wanted.volumes) {
    const snapshot: PendingSnapshot = {
      id: newId('snapshot'),
      accountId,
      region,
      volumeId: volume.id,
      volumeSizeGiB: volume.sizeGiB,
      description,
      startedAt: now,
      progressPercent: 0,
      freezeId,
      layer: undefined,
      ...(volume.kmsKeyArn !== undefined && { kmsKeyArn: volume.kmsKeyArn }),
      ...(copyVolumeId && { copyVolumeId }),
      state: 'pending',
    }
    await insertSnapshot(tx, snapshot)
    const resource = { resourceType: 'snapshot', resourceId: snapshot.id } as const
    await putTags(tx, { accountId, region, ...resource, tags })
    snapshots.push(snapshot)
  }
  return { freezeId, snapshots }
}
