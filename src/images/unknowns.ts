/**
 * What nobody has seen AWS do: each guess about images has its one constant here,
 * to be put right when somebody sees.
 */
import type { InstanceState } from '../instances/instance.ts'
import type { ErrorCode } from '../lib/errors.ts'

/** The code where an image is copied whose snapshot is not shared with the caller. The text is known. */
export const storageForbiddenCode: ErrorCode = 'InvalidRequest'

/** How many watermarks an image can have. */
export const watermarksMax = 50

/** Whether a report on who uses an image counts its owner's resources too. */
export const usageCountsOwner: boolean = false

/** The states of instances that do not count as using their image. */
export const unusedStates: readonly InstanceState[] = ['terminated']

/** Whether an account that enables Allowed AMIs without any criterion goes on as before. */
export const allowsAllWithoutCriteria = true

/** Whether one has to ask for disabled images even where one names them by id. */
export const leavesOutDisabledNamedById = true

/** The code where a protected image is to be deregistered. */
export const protectedCode: ErrorCode = 'OperationNotPermitted'

/** What is read of the protection of an image while it cools down. Clean-up tools look for these words. */
export const cooldownText = (until: Date): string => `disabled after ${until.toISOString()}`

/** The code where the deprecation of a public image is to be cancelled. */
export const publicDeprecationCode: ErrorCode = 'OperationNotPermitted'

/** How many characters of `UefiData` an image takes: the bound of the SDK's documentation. */
export const uefiDataMax = 64_000

/** How many bytes of variables it may unpack to: the firmware's store has little more room. */
export const uefiBytesMax = 192 * 1024

/** The code where an account has as many images, public images or shares of one as it may have. */
export const quotaCode: ErrorCode = 'ResourceLimitExceeded'

/** The code where one gives a share back that one does not have by one's account's number. */
export const notSharedByNameCode: ErrorCode = 'InvalidRequest'

/** The code where the disk of an image is to have a key of its own: that is for who launches it to say. */
export const imageKeyCode: ErrorCode = 'InvalidBlockDeviceMapping'

/** How many images of one instance may be under way where it goes on running. AWS has a limit and does not say which. */
export const noRebootImagesAtOnceMax = 20

/** The code where an image is to be made of a snapshot that somebody else shares, and not with all. */
export const othersSnapshotCode: ErrorCode = 'AuthFailure'
