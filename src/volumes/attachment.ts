/**
 * An attachment: that a volume is a disk of an instance. A volume has one at most.
 *
 *   attaching ─▶ attached ─▶ detaching ─▶ (gone)
 *       └──────────────────────▶┘
 *
 * One that can never come about is taken back the way that the others go.
 */
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'

export type AttachmentState = 'attaching' | 'attached' | 'detaching'

export interface Attachment {
  readonly volumeId: Id<'volume'>
  readonly instanceId: Id<'instance'>
  readonly device: string
  readonly state: AttachmentState
  readonly isDetachForced: boolean
  readonly deleteOnTermination: boolean
  readonly attachedAt: Date
}

/** How many volumes an instance can have: 28 places as on EC2, one of which its network takes. */
export const attachmentsMax = 27

/** Refuses more volumes than an instance has places for. */
export function checkAttachmentCount(count: number, max = attachmentsMax): void {
  if (count <= max) return
  throw new ApiError(
    'AttachmentLimitExceeded',
    `You may attach up to ${max} devices for this instance type.`,
  )
}

/** The names that EC2 takes for a disk: `/dev/sdf`, `/dev/sda1`, `xvdf`, `/dev/xvdba`. */
const deviceName = /^(?:\/dev\/)?(?:sd[a-z](?:[1-9]|1[0-5])?|xvd[a-d]?[a-z](?:[1-9]|1[0-5])?)$/

export function checkDeviceName(device: string): void {
  if (deviceName.test(device)) return
  throw new ApiError(
    'InvalidParameterValue',
    `Value (${device}) for parameter device is invalid. ${device} is not a valid EBS device name.`,
  )
}

/** Refuses a name that another disk of the instance has. `sdf` and `/dev/sdf` are one. */
export function checkDeviceIsFree(
  device: string,
  attachments: readonly Pick<Attachment, 'device'>[],
): void {
  if (!attachments.some((other) => bare(other.device) === bare(device))) return
  throw new ApiError(
    'InvalidParameterValue',
    `Invalid value '${device}' for unixDevice. Attachment point ${device} is already in use`,
  )
}

const bare = (device: string): string => device.replace(/^\/dev\//, '')
