/** What nobody has seen AWS do with instance-store images: each guess has its one constant here, as in `images/unknowns.ts`. */
import type { ErrorCode } from '../lib/errors.ts'

/** How the root device is called where neither the call nor the manifest says it. */
export const defaultRootDeviceName = '/dev/sda1'

/** The `StateReason` of an image whose bundle turned out to be bad when it was read. */
export const badBundleReason = 'Client.InvalidManifest'

/** The code where an image is to be made of an instance that has no EBS volume as its root. */
export const createImageCode: ErrorCode = 'InvalidParameterValue'

/** The code where the root of such an instance is to be replaced. */
export const replaceRootCode: ErrorCode = 'UnsupportedOperation'

/** The code where such an instance is to be protected from stops, which it cannot have. */
export const stopProtectionCode: ErrorCode = 'UnsupportedOperation'

/** The code where what it does when it powers itself off is to be changed. */
export const shutdownBehaviorCode: ErrorCode = 'UnsupportedOperation'

/** The code where the copy of an image that has no snapshots is to be encrypted. */
export const encryptedBundleCode: ErrorCode = 'InvalidParameterCombination'
