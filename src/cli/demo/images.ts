/** What the demonstration asks the API about images, disks and their content. */
import { setTimeout as wait } from 'node:timers/promises'
import { callEc2 } from '../ec2-client.ts'
import { CommandFailed } from '../failure.ts'
import { callImago } from '../imago-client.ts'
import type { Access } from '../installation.ts'
import { itemsAt, textAt } from '../xml.ts'

export interface BakedImage {
  readonly id: string
  /** Names the whole disk. */
  readonly digest: string
  /** Of the blocks in use. */
  readonly fullMiB: number
  /** Of the blocks that the store did not have. */
  readonly addedMiB: number
}

const pollMs = 200
const mebibyte = 2 ** 20

/** Bakes an instance into an image, and answers when it is available. */
export async function bakeImage(
  access: Access,
  wishes: {
    readonly instanceId: string
    readonly name: string
    readonly signal: AbortSignal
  },
): Promise<BakedImage> {
  const { instanceId, name, signal } = wishes
  const made = await callEc2(access, 'CreateImage', { InstanceId: instanceId, Name: name })
  const id = textAt(made, 'imageId')
  for (;;) {
    signal.throwIfAborted()
    const answer = await callEc2(access, 'DescribeImages', { ImageId: [id] })
    const image = itemsAt(answer, 'imagesSet')[0]
    const state = textAt(image, 'imageState')
    if (state === 'available') {
      const device = itemsAt(image, 'blockDeviceMapping')[0]
      return { id, ...(await describeContent(access, textAt(device, 'ebs', 'snapshotId'))) }
    }
    if (state !== 'pending') {
      throw new CommandFailed(`${id} is ${state}: ${textAt(image, 'stateReason', 'message')}`)
    }
    await wait(pollMs)
  }
}

async function describeContent(access: Access, snapshotId: string) {
  const content = await callImago(access, 'GET', `/imago/v1/snapshots/${snapshotId}`)
  return {
    digest: String(content['manifest']),
    fullMiB: Number(content['fullSizeBytes']) / mebibyte,
    addedMiB: Number(content['addedBytes']) / mebibyte,
  }
}

/** The digests of the disks that instances started from, each once. */
export async function startingDigests(
  access: Access,
  instanceIds: readonly string[],
): Promise<readonly string[]> {
  const attached = { Name: 'attachment.instance-id', Value: instanceIds }
  const answer = await callEc2(access, 'DescribeVolumes', { Filter: [attached] })
  const snapshotIds = itemsAt(answer, 'volumeSet').map((volume) => textAt(volume, 'snapshotId'))
  const contents = await Promise.all(snapshotIds.map((id) => describeContent(access, id)))
  return [...new Set(contents.map(({ digest }) => digest))]
}
