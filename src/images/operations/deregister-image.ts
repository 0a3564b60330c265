/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html */
import type {
  DeleteSnapshotReturnCode,
  DeregisterImageRequest,
  DeregisterImageResult,
  SnapshotReturnCodes,
} from '@aws-sdk/client-ec2'
import type { Id } from '../../lib/ids.ts'
import { removeSnapshot } from '../../snapshots/remove.ts'
import { findSnapshot } from '../../snapshots/store.ts'
import { deleteTagsOf } from '../../tags/store.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { type Image, imageUnavailable, snapshotsOf } from '../image.ts'
import { removeLaunchPermissions } from '../permission-store.ts'
import { changeImageState, listImagesOnSnapshots } from '../store.ts'

type Call = WriteCall<DeregisterImageRequest>

export const deregisterImage = writeOperation<DeregisterImageRequest, DeregisterImageResult>({
  action: 'DeregisterImage',
  async run(call) {
    const { input, tx, caller, region, now } = call
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const { id } = image
    const isChanged = await changeImageState(tx, {
      id,
      from: ['pending', 'available', 'failed'],
      to: 'deregistered',
      at: now,
    })
    if (!isChanged) throw imageUnavailable(id)
    await removeLaunchPermissions(tx, id)
    await deleteTagsOf(tx, id)
    if (!input.DeleteAssociatedSnapshots) return { Return: true }
    return { Return: true, DeleteSnapshotResults: await deleteSnapshots(call, image) }
  },
})

/** What another image needs stays, and is no failure. */
async function deleteSnapshots(call: Call, image: Image): Promise<DeleteSnapshotReturnCode[]> {
  const { tx } = call
  const users = await listImagesOnSnapshots(tx, snapshotsOf(image))
  const results: DeleteSnapshotReturnCode[] = []
  for (const SnapshotId of snapshotsOf(image)) {
    const ReturnCode = users.has(SnapshotId) ? 'skipped' : await deleteOne(call, SnapshotId)
    results.push({ SnapshotId, ReturnCode })
  }
  return results
}

async function deleteOne({ tx, caller }: Call, id: Id<'snapshot'>): Promise<SnapshotReturnCodes> {
  const snapshot = await findSnapshot(tx, id)
  if (!snapshot) return 'client-error'
  if (snapshot.accountId !== caller.accountId) return 'missing-permissions'
  await removeSnapshot(tx, id)
  return 'success'
}
