/** What nobody has seen AWS do with stored images: each guess has its one constant here, as in `images/unknowns.ts`. */
import type { ErrorCode } from '../lib/errors.ts'

/** The code where an image is not of a kind that can be stored. */
export const cannotStoreCode: ErrorCode = 'InvalidRequest'

/** The code where the bucket has the image's object already. */
export const storedAlreadyCode: ErrorCode = 'InvalidRequest'

/** The code where what is to be restored is no stored image. */
export const badObjectCode: ErrorCode = 'InvalidRequest'

/** The code where an account has as much under way as it may. */
export const tooMuchCode: ErrorCode = 'ResourceLimitExceeded'

/** The `StateReason` of an image that could not be restored. */
export const restoreFailedCode = 'Client.InvalidStoredImage'
