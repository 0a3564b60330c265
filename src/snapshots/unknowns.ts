/**
 * What nobody has seen AWS do: each guess about snapshots has its one constant
 * here, to be put right when somebody sees.
 */
import type { ErrorCode } from '../lib/errors.ts'

/** The code where a locked snapshot is to be deleted, or its lock to be changed against the rules. */
export const lockedCode: ErrorCode = 'OperationNotPermitted'

/** The code where a lock is to be lifted that is not there. */
export const notLockedCode: ErrorCode = 'IncorrectState'

/** The code where something is to be made of an archived snapshot, and where one cannot be archived. */
export const archivedCode: ErrorCode = 'IncorrectState'

/** How many snapshots of an account in a Region may be pending at once. */
export const pendingSnapshotsMax = 100

/** The code where an encrypted snapshot, or an image of one, is to be public. */
export const encryptedPublicCode: ErrorCode = 'OperationNotPermitted'
