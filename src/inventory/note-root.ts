/** Notes on the record of a launch what has taken the place of the machine's root. */
import type { Tx } from '../db/database.ts'
import { findImage } from '../images/store.ts'
import type { Instance } from '../instances/instance.ts'
import type { Replacement } from '../root-replacements/replacement.ts'
import { findLaunch } from './launch-store.ts'
import { insertRoot } from './root-store.ts'

/** For the transaction that makes it so. */
export async function noteRoot(
  tx: Tx,
  { id: instanceId, imageId: firstId }: Pick<Instance, 'id' | 'imageId'>,
  { id: taskId, isVolumeGiven, ...task }: Replacement,
  replacedAt: Date,
): Promise<void> {
  if (!(await findLaunch(tx, instanceId))) return
  const { snapshotId, newVolumeId: volumeId } = task
  // Where the task names nothing, the machine is on the image again that it was launched from.
  const isOfLaunch = snapshotId === undefined && !isVolumeGiven
  const imageId = task.imageId ?? (isOfLaunch ? firstId : undefined)
  const found = imageId && (await findImage(tx, imageId))
  const image = imageId && { imageId, imageName: found?.name, imageOwnerId: found?.accountId }
  await insertRoot(tx, { taskId, instanceId, image, snapshotId, volumeId, replacedAt })
}
