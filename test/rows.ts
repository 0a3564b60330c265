/** Rows of images and instances, for tests of what calls say about them: nothing runs behind them. */
import { randomBytes } from 'node:crypto'
import { type Connections, transaction } from '../src/db/database.ts'
import { type Image, type NewImage, unlived } from '../src/images/image.ts'
import { insertImage } from '../src/images/store.ts'
import { anImage } from '../src/images/testing.ts'
import type { Instance } from '../src/instances/instance.ts'
import { insertInstance } from '../src/instances/store.ts'
import { anInstance } from '../src/instances/testing.ts'
import { formatId, type Kind } from '../src/lib/ids.ts'
import type { Owner } from '../src/lib/owner.ts'
import type { CompletedSnapshot } from '../src/snapshots/snapshot.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { aSnapshot } from '../src/snapshots/testing.ts'
import { insertAttachment, insertVolume } from '../src/volumes/store.ts'
import { asRoot, aVolume } from '../src/volumes/testing.ts'

const at = new Date('2026-11-23T10:00:00Z')
export const newId = <K extends Kind>(kind: K) => formatId(kind, randomBytes(9))

export function snapshotRow(
  { accountId, region }: Owner,
  changes: Partial<CompletedSnapshot> = {},
): CompletedSnapshot {
  const id = newId('snapshot')
  return aSnapshot(0, { id, accountId, region, startedAt: at, completedAt: at, ...changes })
}

/** An available image on a completed snapshot. */
export async function putImage(
  { writes }: Connections,
  owner: Owner,
  changes: Partial<NewImage> & { readonly name: string },
): Promise<Image> {
  const snapshot = snapshotRow(owner)
  const image = anImage(0, {
    id: newId('image'),
    ...owner,
    createdAt: at,
    blockDevices: [
      {
        deviceName: '/dev/xvda',
        ebs: { snapshotId: snapshot.id, sizeGiB: 1, type: 'gp3', deleteOnTermination: true },
      },
    ],
    ...changes,
  })
  await transaction(writes, async (tx) => {
    await insertSnapshot(tx, snapshot)
    await insertImage(tx, image)
  })
  return { ...image, ...unlived }
}

/** An instance that says to run, with its root volume. */
export async function putInstance(
  { writes }: Connections,
  owner: Owner,
  changes: Partial<Instance> & Pick<Instance, 'imageId'>,
): Promise<Instance> {
  const instance = anInstance(0, {
    id: newId('instance'),
    ...owner,
    reservationId: newId('reservation'),
    stateSince: at,
    launchedAt: at,
    ...changes,
  })
  const volume = aVolume(0, {
    id: newId('volume'),
    ...owner,
    availabilityZone: instance.availabilityZone,
    state: 'in-use',
    createdAt: at,
  })
  await transaction(writes, async (tx) => {
    await insertInstance(tx, instance)
    await insertVolume(tx, volume)
    await insertAttachment(tx, asRoot(volume, instance))
  })
  return instance
}
