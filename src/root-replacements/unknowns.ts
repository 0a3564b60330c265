/** What nobody has seen AWS do when a root volume is replaced: each guess has its one constant here. */
import type { ErrorCode } from '../lib/errors.ts'

/** The code where the snapshot was not taken of a root volume of the instance. */
export const lineageCode: ErrorCode = 'InvalidParameterValue'

/** The code where an image is not of the instance's kind. */
export const otherKindCode: ErrorCode = 'InvalidParameterValue'

/** The code where another task of the instance is under way. */
export const underWayCode: ErrorCode = 'IncorrectState'

/** The code where a plain volume would take the place of an encrypted root. */
export const plainForEncryptedCode: ErrorCode = 'InvalidParameterValue'

/** The code where what the instance was launched from is gone. */
export const launchStateGoneCode: ErrorCode = 'InvalidSnapshot.NotFound'
