/** How many images there may be: the quotas that an account of EC2 begins with. */
import { ApiError } from '../lib/errors.ts'
import { quotaCode } from './unknowns.ts'

/** Of an account in a Region, with those that are pending and those in the Recycle Bin. */
export const imagesMax = 50_000
/** Of an account in a Region. */
export const publicImagesMax = 5
/** Accounts, organizations and units that one image is shared with. */
export const shareTargetsMax = 1000

export function quotaExceeded(what: string, max: number): ApiError {
  return new ApiError(quotaCode, `You have reached your quota of ${max} ${what}.`)
}
