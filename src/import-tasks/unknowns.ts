/** What AWS's reference does not say of import tasks: each guess once, by a name. */
import type { ErrorCode } from '../lib/errors.ts'

/** The code for a task that is not there. Tools take it for that, and the reference knows the code. */
export const taskNotFoundCode: ErrorCode = 'InvalidConversionTaskId.Malformed'

/** The code where a task is to be cancelled that is over. */
export const taskOverCode: ErrorCode = 'IncorrectState'

/** The code where nothing is said of where a disk is, and where two places are. */
export const noSourceCode: ErrorCode = 'MissingParameter'
export const twoSourcesCode: ErrorCode = 'InvalidParameterCombination'

/** The code for a bucket that is not there. */
export const noBucketCode: ErrorCode = 'InvalidParameter'

/** What a task is in that could not be done: `StatusMessage` says why. The SDK waits for `error`, which nobody has seen. */
export const failedStatus = 'deleted'

/** The unit of `DiskImageSize`: the reference says GiB, and all that AWS shows of answers is in bytes. */
export const diskImageSizeUnitBytes = 1

/** How many tasks of an account can be under way in a Region: AWS's quota for images. */
export const tasksAtOnceMax = 20
