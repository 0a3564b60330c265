/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeregisterImage.html */
import type {
  DeleteSnapshotReturnCode,
  DeregisterImageRequest,
  DeregisterImageResult,
  SnapshotReturnCodes,
} from '@aws-sdk/client-ec2'
import { deleteBundle } from '../../bundles/store.ts'
import { demandsOn } from '../../iam/ec2-touched.ts'
import { allowsAll } from '../../iam/evaluate.ts'
import type { Id } from '../../lib/ids.ts'
import { markRecycled } from '../../recycle-bin/mark.ts'
import { recycleExit } from '../../recycle-bin/retention.ts'
import { claimSnapshot } from '../../snapshots/life-store.ts'
import { isLocked, removeSnapshot } from '../../snapshots/remove.ts'
import { findSnapshot } from '../../snapshots/store.ts'
import { deleteTagsOf } from '../../tags/store.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { ownImage } from '../find.ts'
import { type Image, imageBusy, imageUnavailable, snapshotsOf } from '../image.ts'
import { recycleImage, setProtection } from '../life-store.ts'
import { removeLaunchPermissions } from '../permission-store.ts'
import { imageProtected, isProtected } from '../protection.ts'
import { changeImageState, listImagesOnSnapshots } from '../store.ts'

type Call = WriteCall<DeregisterImageRequest>

export const deregisterImage = writeOperation<DeregisterImageRequest, DeregisterImageResult>({
  action: 'DeregisterImage',
  makesRoom: true,
  async run(call) {
    const { input, tx, caller, region, now } = call
    const { accountId } = caller
    const image = await ownImage(tx, { accountId, region, id: input.ImageId })
    const { id } = image
    if (isProtected(image, now)) throw imageProtected(id)
    // Locks the row: nobody protects the image behind this call's back.
    if (!(await setProtection(tx, image, image))) throw imageBusy(id)
    if (!(await recycle(call, image))) {
      const isChanged = await changeImageState(tx, {
        id,
        from: ['pending', 'available', 'failed', 'disabled'],
        to: 'deregistered',
        at: now,
      })
      if (!isChanged) throw imageUnavailable(id)
      await removeLaunchPermissions(tx, id)
      await deleteBundle(tx, id)
      await deleteTagsOf(tx, id)
    }
    if (!input.DeleteAssociatedSnapshots) return { Return: true }
    return { Return: true, DeleteSnapshotResults: await deleteSnapshots(call, image) }
  },
})

/** Moves the image into the Recycle Bin where a rule retains it. It keeps its tags and shares for its return. */
async function recycle({ tx, now }: Call, image: Image): Promise<boolean> {
  if (image.state !== 'available' && image.state !== 'disabled') return false
  if (image.rootDeviceType !== 'ebs') return false
  const { id, accountId, region } = image
  const exitAt = await recycleExit(tx, { resourceType: 'EC2_IMAGE', accountId, region, id, now })
  if (!exitAt) return false
  if (!(await recycleImage(tx, image, { at: now, exitAt }))) throw imageUnavailable(id)
  await markRecycled(tx, image, 'image')
  return true
}

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

async function deleteOne(
  { tx, caller, region, now }: Call,
  id: Id<'snapshot'>,
): Promise<SnapshotReturnCodes> {
  const snapshot = await findSnapshot(tx, id)
  if (!snapshot) return 'client-error'
  if (snapshot.accountId !== caller.accountId) return 'missing-permissions'
  // Who may deregister an image may not therefore delete what it was made of.
  const demands = await demandsOn('DeleteSnapshot', 'snapshot', [id], { db: tx, caller, region })
  if (!allowsAll(caller, demands)) return 'missing-permissions'
  if (!(await claimSnapshot(tx, id)) || (await isLocked(tx, snapshot, now))) return 'client-error'
  await removeSnapshot(tx, id, now)
  return 'success'
}
