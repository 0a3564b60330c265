/** A task that would have bundled an instance by itself: there is none, whatever it is called. */
import { ApiError } from '../lib/errors.ts'

export const bundleTaskNotFound = (id: string): ApiError =>
  new ApiError('InvalidBundleID.NotFound', `The bundle task ID '${id}' does not exist`)
