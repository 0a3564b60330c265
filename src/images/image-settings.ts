/** What an account says about images in a Region: may its own be public, and which of others' it allows. */
import { ApiError } from '../lib/errors.ts'
import type { Criterion } from './criterion.ts'

export type PublicAccess = 'block-new-sharing' | 'unblocked'
export type AllowedState = 'disabled' | 'audit-mode' | 'enabled'

export interface ImageSettings {
  readonly publicAccess: PublicAccess
  readonly allowedState: AllowedState
  readonly criteria: readonly Criterion[]
}

/** What every account begins with. */
export const firstSettings: ImageSettings = {
  publicAccess: 'block-new-sharing',
  allowedState: 'disabled',
  criteria: [],
}

/** `message` is what the organization says to it, where that has blocked it. */
export function publicSharingBlocked(message?: string): ApiError {
  return new ApiError(
    'OperationNotPermitted',
    message ??
      "You can't publicly share this image because block public access for AMIs is enabled for this account. " +
        'To publicly share the image, you must call the DisableImageBlockPublicAccess API.',
  )
}
