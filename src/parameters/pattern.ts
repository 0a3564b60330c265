/**
 * Whether a value is as its parameter's own expression wants it. The expression
 * comes from a caller and may take forever, so it gets a little time only.
 */
import { runInNewContext } from 'node:vm'
import { ApiError } from '../lib/errors.ts'

const timeMsMax = 100
const patternLengthMax = 1024

export function checkAllowedPattern(pattern: string, value: string): void {
  if (pattern.length > patternLengthMax) throw invalid('It is too long.')
  try {
    // Compiling is cheap, and tells what is wrong with it.
    void new RegExp(pattern)
  } catch {
    throw invalid('It is not a regular expression.')
  }
  let isMatch: unknown
  try {
    isMatch = runInNewContext(
      'new RegExp(pattern).test(value)',
      { pattern, value },
      { timeout: timeMsMax },
    )
  } catch {
    throw invalid('It takes too long.')
  }
  if (isMatch === true) return
  throw new ApiError(
    'ParameterPatternMismatchException',
    `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
  )
}

const invalid = (why: string): ApiError =>
  new ApiError('InvalidAllowedPatternException', `The allowed pattern is not valid. ${why}`)
