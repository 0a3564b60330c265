/** What nobody has seen AWS do with changes of volumes: each guess has its one constant here. */
import type { ErrorCode } from '../lib/errors.ts'

/**
 * How many changes of one volume can begin within how long. It was one in six hours until AWS made
 * it four in a day: https://aws.amazon.com/about-aws/whats-new/2026/01/amazon-ebs-up-to-four-volume-modifications/
 */
export const modificationsMax = 4
export const modificationWindowMs = 24 * 60 * 60 * 1000

/** What is read when there were too many; the words are from when it was one in six hours. */
export const rateText =
  `You've reached the maximum modification rate per volume limit. A volume can be modified ` +
  `${modificationsMax} times in ${modificationWindowMs / 3_600_000} hours.`

/** The code where a change changes nothing. */
export const noChangeCode: ErrorCode = 'InvalidParameterValue'

/** The code where a volume is asked about that was never changed. */
export const neverModifiedCode: ErrorCode = 'InvalidVolumeModification.NotFound'
