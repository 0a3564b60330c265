/**
 * An image: what machines are started from.
 *
 *     pending ──▶ available ◀──▶ disabled
 *        │            └──────┬──────┘
 *        └──▶ failed ────────┼──▶ recycled (and back to available) ──▶ deregistered
 *
 * `available` is only said when every snapshot that it names is completed, or its bundle is read.
 * A deregistered image stays on record: instances still name it.
 */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import { type Id, isId } from '../lib/ids.ts'
import type { InstanceTypes } from './instance-types.ts'

export type ImageState =
  | 'pending'
  | 'available'
  | 'failed'
  | 'disabled'
  | 'recycled'
  | 'deregistered'
export type Protection = 'disabled' | 'enabled-without-cooldown' | 'enabled-with-cooldown'
export type BootMode = 'legacy-bios' | 'uefi' | 'uefi-preferred'

/** A disk that each instance gets, a volume or (by a virtual name) one of the host's own. */
export interface BlockDevice {
  readonly deviceName: string
  readonly virtualName?: string
  readonly ebs?: EbsDevice
}

export interface EbsDevice {
  /** Nothing for a disk that begins blank. */
  readonly snapshotId?: Id<'snapshot'>
  readonly sizeGiB: number
  readonly type: string
  readonly iops?: number
  readonly throughput?: number
  /** Whether the snapshot is encrypted, or the blank disk is to be. */
  readonly isEncrypted?: true
  readonly deleteOnTermination: boolean
}

export interface StateReason {
  readonly code: string
  readonly message: string
}

export interface Image {
  readonly id: Id<'image'>
  readonly accountId: string
  readonly region: string
  readonly name: string
  readonly description: string | undefined
  /** `owner/name`, or where the manifest of its bundle is. */
  readonly location: string
  readonly state: ImageState
  readonly stateReason: StateReason | undefined
  readonly createdAt: Date
  readonly deregisteredAt: Date | undefined
  readonly architecture: string
  readonly bootMode: BootMode | undefined
  readonly rootDeviceName: string
  readonly rootDeviceType: 'ebs' | 'instance-store'
  readonly virtualizationType: string
  readonly platform: 'windows' | undefined
  readonly platformDetails: string
  readonly usageOperation: string
  readonly enaSupport: boolean
  readonly sriovNetSupport: string | undefined
  readonly imdsSupport: string | undefined
  readonly tpmSupport: string | undefined
  readonly isPublic: boolean
  readonly sourceInstanceId: Id<'instance'> | undefined
  readonly sourceImageId: Id<'image'> | undefined
  readonly sourceImageRegion: string | undefined
  readonly lastLaunchedAt: Date | undefined
  readonly blockDevices: readonly BlockDevice[]
  /** From then on, others find it only by its id or on demand. */
  readonly deprecatesAt: Date | undefined
  readonly protection: Protection
  /** When a protection that was taken away is gone. */
  readonly protectedUntil: Date | undefined
  /** Its time in the Recycle Bin, the last one. */
  readonly recycledAt: Date | undefined
  readonly recycleExitAt: Date | undefined
  readonly instanceTypes: InstanceTypes | undefined
}

/** What no image has yet when it is made. */
export const unlived = {
  deprecatesAt: undefined,
  protection: 'disabled',
  protectedUntil: undefined,
  recycledAt: undefined,
  recycleExitAt: undefined,
  instanceTypes: undefined,
} as const satisfies Partial<Image>

export type NewImage = Omit<Image, keyof typeof unlived>

const nameForm = /^[A-Za-z0-9()[\] ./\-'@_]{3,128}$/

/** Throws where AWS would not take the name. */
export function checkImageName(name: string): void {
  if (nameForm.test(name)) return
  throw new ApiError(
    'InvalidAMIName.Malformed',
    "AMI names must be between 3 and 128 characters long, and may contain letters, numbers, '(', ')', '.', '-', '/' and '_'",
  )
}

export const imageDescriptionMax = 255

export function checkImageDescription(description: string | undefined): void {
  if (description === undefined) return
  if (description.length > imageDescriptionMax) {
    throw new ApiError(
      'InvalidParameterValue',
      `The description is longer than ${imageDescriptionMax} characters.`,
    )
  }
  // Found out by whoever wrote a dash that is none: https://github.com/wendylabsinc/WendyOS-Builder/pull/56
  if (/^[\t\n\r\x20-\x7e]*$/.test(description)) return
  throw invalidParameterValue(
    'description',
    description,
    'Character sets beyond ASCII are not supported.',
  )
}

export function parseImageId(text: string): Id<'image'> {
  if (isId('image', text)) return text
  throw new ApiError('InvalidAMIID.Malformed', `Invalid id: "${text}" (expecting "ami-...")`)
}

export function imagesNotFound(ids: readonly string[]): ApiError {
  const list = `'[${ids.join(', ')}]'`
  return new ApiError(
    'InvalidAMIID.NotFound',
    ids.length === 1 ? `The image id ${list} does not exist` : `The image ids ${list} do not exist`,
  )
}

export function imageUnavailable(id: Id<'image'>): ApiError {
  return new ApiError('InvalidAMIID.Unavailable', `The image id '[${id}]' is no longer available`)
}

/** For a call that lost against another one: it may be tried again. */
export function imageBusy(id: Id<'image'>): ApiError {
  return new ApiError('Unavailable', `The image '${id}' is being changed by another call.`)
}

export function imageNotAuthorized(id: Id<'image'>): ApiError {
  return new ApiError('AuthFailure', `Not authorized for images: [${id}]`)
}

export function imageNameTaken(name: string, id: string): ApiError {
  return new ApiError('InvalidAMIName.Duplicate', `AMI name ${name} is already in use by AMI ${id}`)
}

/** The refusal of an attribute that an image does not have, or that the call cannot touch. */
export function unknownImageAttribute(): ApiError {
  return new ApiError('InvalidRequest', 'The request received was invalid')
}

/** The snapshots that an image lives on, each once. */
export function snapshotsOf({ blockDevices }: Pick<Image, 'blockDevices'>): Id<'snapshot'>[] {
  const ids = blockDevices.flatMap(({ ebs }) => (ebs?.snapshotId ? [ebs.snapshotId] : []))
  return [...new Set(ids)]
}
