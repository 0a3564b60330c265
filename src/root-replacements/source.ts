/** What the new root volume of an instance is made of: what the call names, or what it was launched from. */
import type { CreateReplaceRootVolumeTaskRequest } from '@aws-sdk/client-ec2'
import { visibleImage } from '../images/find.ts'
import { type Image, imageUnavailable } from '../images/image.ts'
import { findImage } from '../images/store.ts'
import type { Instance } from '../instances/instance.ts'
import type { Digest } from '../lib/digest.ts'
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import {
  parseSnapshotId,
  requireCompleted,
  requireUnarchived,
  snapshotNotFound,
} from '../snapshots/snapshot.ts'
import { findSnapshot, findUsableSnapshot } from '../snapshots/store.ts'
import type { Volume } from '../volumes/volume.ts'
import type { WriteCall } from '../wire/operation.ts'
import { listReplacementsOf } from './store.ts'
import { launchStateGoneCode, lineageCode, otherKindCode } from './unknowns.ts'

type Call = WriteCall<CreateReplaceRootVolumeTaskRequest>

export interface RootSource {
  readonly id: Id<'snapshot'>
  readonly volumeSizeGiB: number
  readonly manifest: Digest
  readonly accountId: string
  readonly region: string
  readonly kmsKeyArn?: string
}

export async function findRootSource(
  call: Call,
  instance: Instance,
  root: Volume,
): Promise<{ readonly source: RootSource; readonly imageId?: Id<'image'> }> {
  const { ImageId, SnapshotId } = call.input
  if (ImageId !== undefined) return await ofImage(call, instance)
  if (SnapshotId !== undefined) return { source: await ofLineage(call, instance, root) }
  return { source: await ofLaunch(call, instance, root) }
}

async function ofImage(call: Call, instance: Instance) {
  const { input, tx, caller, region, now } = call
  const query = { accountId: caller.accountId, region, now, id: input.ImageId }
  const image = await visibleImage(tx, query)
  if (image.state !== 'available') throw imageUnavailable(image.id)
  checkSameKind(image, instance)
  const source = await ofRootDevice(call, image)
  if (!source) throw imageUnavailable(image.id)
  return { source, imageId: image.id }
}

/** The machine stays what it is, so it has to be able to boot the image. */
function checkSameKind(image: Image, instance: Instance): void {
  const pairs = [
    ['root device type', image.rootDeviceType, instance.rootDeviceType],
    ['architecture', image.architecture, instance.architecture],
    ['virtualization type', image.virtualizationType, 'hvm'],
    ['platform', image.platformDetails, instance.platformDetails],
    ['usage operation', image.usageOperation, instance.usageOperation],
    ['boot mode', image.bootMode, instance.bootMode],
  ] as const
  for (const [name, has, needs] of pairs) {
    if (has === needs) continue
    throw new ApiError(
      otherKindCode,
      `The ${name} '${has ?? ''}' of image '${image.id}' does not match the ${name} ` +
        `'${needs ?? ''}' of instance '${instance.id}'.`,
    )
  }
}

async function ofRootDevice({ tx }: Call, image: Image): Promise<RootSource | undefined> {
  const root = image.blockDevices.find(({ deviceName }) => deviceName === image.rootDeviceName)
  const snapshot = root?.ebs?.snapshotId && (await findSnapshot(tx, root.ebs.snapshotId))
  if (snapshot?.state !== 'completed' || snapshot.recycledAt) return undefined
  requireUnarchived(snapshot)
  return snapshot
}

async function ofLineage(call: Call, instance: Instance, root: Volume): Promise<RootSource> {
  const { input, tx, caller, region } = call
  const id = parseSnapshotId(input.SnapshotId ?? '')
  const found = await findUsableSnapshot(tx, { accountId: caller.accountId, region, id })
  if (!found) throw snapshotNotFound(id)
  const roots = [root.id]
  for (const task of await listReplacementsOf(tx, instance.id)) {
    if (task.isSwapped) roots.push(task.oldVolumeId, task.newVolumeId)
  }
  if (!roots.includes(found.volumeId as Id<'volume'>)) {
    const rule = `It was not taken of a root volume of instance '${instance.id}'.`
    throw new ApiError(lineageCode, invalidParameterValue('snapshotId', id, rule).message)
  }
  return requireCompleted(found)
}

async function ofLaunch(call: Call, instance: Instance, root: Volume): Promise<RootSource> {
  const image = await findImage(call.tx, instance.imageId)
  const source = image && (await ofRootDevice(call, image))
  if (source) return source
  // The snapshot may be gone: a root that was never replaced still lies over what it was made of.
  const earlier = await listReplacementsOf(call.tx, instance.id)
  const { snapshotId, baseManifest } = root
  if (snapshotId && baseManifest && !earlier.some(({ isSwapped }) => isSwapped)) {
    const { accountId, region, baseKmsKeyArn } = root
    const disk = { id: snapshotId, volumeSizeGiB: 1, manifest: baseManifest, accountId, region }
    return baseKmsKeyArn === undefined ? disk : { ...disk, kmsKeyArn: baseKmsKeyArn }
  }
  throw new ApiError(
    launchStateGoneCode,
    `The snapshot that instance '${instance.id}' was launched from does not exist.`,
  )
}
