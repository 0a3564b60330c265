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
