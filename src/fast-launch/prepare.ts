/**
 * Fills the reserve by the verbs that calls have too: launches an instance of the image as
 * the account that enabled it, snapshots its root when it has shut itself down, and ends it.
 */
import { parsePrincipal, findCaller } from '../iam/find-caller.ts'
import { findImage } from '../images/store.ts'
import { launch, type LaunchCall } from '../instances/launch.ts'
import { requestChange } from '../instances/request-change.ts'
import { userInitiated } from '../instances/cause.ts'
import { imagesNotFound } from '../images/image.ts'
import { ApiError } from '../lib/errors.ts'
import { takeSnapshots } from '../snapshots/take.ts'
import { listAttachments, listVolumes } from '../volumes/store.ts'
import type { WriteCall } from '../wire/operation.ts'
import type { FastLaunch } from './fast-launch.ts'
import { mark, requestAhead } from './launch-ahead.ts'
import type { SeenReserve } from './next.ts'
import { changeReserve, deleteReserve, insertReserve } from './store.ts'
import { removeReserved } from './take-reserve.ts'

/** A call as a reconciler makes it, but for who makes it. */
export type Making = Omit<LaunchCall, 'caller' | 'region'> & Pick<WriteCall<unknown>, 'randomBytes'>

/** Whoever enabled it makes the call, as the root of its account. */
async function callFor(making: Making, { accountId, region }: FastLaunch) {
  const { tx, now } = making
  const root = parsePrincipal(accountId)
  const caller = root && (await findCaller(tx, root, { region, now }))
  if (!caller) throw new ApiError('AuthFailure', `There is no account ${accountId}.`)
  return { ...making, caller, region }
}

export async function launchAhead(making: Making, fastLaunch: FastLaunch): Promise<void> {
  const call = await callFor(making, fastLaunch)
  const { tx, now, readers } = making
  const { imageId, accountId } = fastLaunch
  const image = await findImage(tx, imageId)
  if (!image) throw imagesNotFound([imageId])
  const request = requestAhead(image, readers.host())
  const [instance] = await launch(call, request, { usesReserve: false })
  if (!instance) return
  await insertReserve(tx, {
    instanceId: instance.id,
    imageId,
    accountId,
    state: 'preparing',
    snapshotId: undefined,
    begunAt: now,
  })
}

/** Has the root of an instance snapshotted that has shut itself down. */
export async function capture(
  making: Making,
  fastLaunch: FastLaunch,
  reserve: SeenReserve,
): Promise<void> {
  const call = await callFor(making, fastLaunch)
  const { tx } = making
  const { instance, instanceId } = reserve
  const attached = await listAttachments(tx, { instanceIds: [instanceId] })
  const root = attached.find(({ device }) => device === instance?.rootDeviceName)
  const owner = { accountId: fastLaunch.accountId, region: fastLaunch.region }
  const [volume] = root ? await listVolumes(tx, { ...owner, ids: [root.volumeId] }) : []
  if (!volume) throw new ApiError('IncorrectState', `The instance ${instanceId} has no root.`)
  const description = `Created by EC2 Fast Launch(${instanceId}) for ${fastLaunch.imageId}`
  const { snapshots } = await takeSnapshots(call, {
    instanceId,
    withReboot: false,
    volumes: [{ volume, description, tags: [mark] }],
  })
  await changeReserve(tx, reserve, { state: 'capturing', snapshotId: snapshots[0]?.id })
}

/** The snapshot is there: the instance has done what it was for. */
export async function keep(
  making: Making,
  fastLaunch: FastLaunch,
  reserve: SeenReserve,
): Promise<void> {
  const { state: _, ...rest } = reserve
  await terminate(making, fastLaunch, reserve)
  await changeReserve(making.tx, reserve, { ...rest, state: 'ready' })
}

/** Ends whatever there is of it. Tells whether nothing was left. */
export async function discard(
  making: Making,
  fastLaunch: FastLaunch,
  reserve: SeenReserve,
): Promise<boolean> {
  const { tx, now } = making
  const { snapshot, instanceId } = reserve
  // A launch may have been faster.
  if (!(await deleteReserve(tx, instanceId))) return true
  await terminate(making, fastLaunch, reserve)
  if (!snapshot || snapshot.recycledAt !== undefined) return true
  return await removeReserved(tx, snapshot.id, now)
}

async function terminate(
  making: Making,
  fastLaunch: FastLaunch,
  { instance }: SeenReserve,
): Promise<void> {
  if (!instance || instance.state === 'terminated' || instance.state === 'shutting-down') return
  await requestChange(await callFor(making, fastLaunch), {
    request: 'terminate',
    ids: [instance.id],
    cause: userInitiated(making.now),
  })
}
