/** Whether snapshots of an account in a Region may be public: those to come, and those that are. */
import { ApiError } from '../lib/errors.ts'

export type PublicAccess = 'block-all-sharing' | 'block-new-sharing' | 'unblocked'

/** What every account begins with. */
export const firstPublicAccess: PublicAccess = 'unblocked'

/** `message` is what the organization says to it, where that has blocked it. */
export function publicSharingBlocked(message?: string): ApiError {
  return new ApiError(
    'OperationNotPermitted',
    message ??
      "You can't publicly share this snapshot because block public access for snapshots is enabled for this account. " +
        'To publicly share the snapshot, you must call the DisableSnapshotBlockPublicAccess API.',
  )
}
