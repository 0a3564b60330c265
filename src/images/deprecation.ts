/**
 * When an image is deprecated: to the minute, at most 10 years ahead, and at most 2
 * years after it was made where everyone may launch it.
 */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import type { Image } from './image.ts'
import { publicDeprecationCode } from './unknowns.ts'

const minuteMs = 60_000
const yearsMax = 10
const publicYearsMax = 2

/** The latest time for a public image, which also is its time where nobody has said another. */
export const publicDeprecation = ({ createdAt }: Pick<Image, 'createdAt'>): Date =>
  yearsAfter(createdAt, publicYearsMax)

/** Reads the time that an owner wants. */
export function deprecationTime(
  image: Pick<Image, 'createdAt' | 'isPublic'>,
  wanted: Date,
  now: Date,
): Date {
  const text = wanted.toISOString()
  const refuse = (rule: string) => invalidParameterValue('deprecateAt', text, rule)
  if (wanted < now) throw refuse('It must not be in the past.')
  if (wanted > yearsAfter(now, yearsMax)) {
    throw refuse(`It must be at most ${yearsMax} years from now.`)
  }
  if (image.isPublic && wanted > publicDeprecation(image)) {
    throw refuse(`It must be at most ${publicYearsMax} years after a public image was created.`)
  }
  return new Date(Math.round(wanted.getTime() / minuteMs) * minuteMs)
}

export function publicStaysDeprecated(id: Image['id']): ApiError {
  return new ApiError(
    publicDeprecationCode,
    `The deprecation of the public image '${id}' cannot be cancelled. Make the image private first.`,
  )
}

function yearsAfter(start: Date, years: number): Date {
  const date = new Date(start)
  date.setUTCFullYear(date.getUTCFullYear() + years)
  return date
}
