/** The tags of what an organization has, with the limits and refusals of AWS Organizations. */
import { ApiError } from '../lib/errors.ts'
import { type TagInput, tagOfInput } from '../tags/tag.ts'
import type { ResourceTag } from './organization.ts'

const tagsMax = 50
const keyLengthMax = 128
const valueLengthMax = 256

/** Reads the tags of a call. */
export function readResourceTags(input: readonly TagInput[] | undefined): readonly ResourceTag[] {
  const tags = (input ?? []).map(tagOfInput)
  for (const { key, value } of tags) {
    if (key.length < 1) throw refused('A tag key cannot be empty.', 'MIN_LENGTH_EXCEEDED')
    if (key.length > keyLengthMax || value.length > valueLengthMax) {
      throw refused('A tag is too long.', 'MAX_LENGTH_EXCEEDED')
    }
    if (/^aws:/i.test(key)) {
      throw refused(
        'You specified a tag key that is a system tag.',
        'INVALID_SYSTEM_TAGS_PARAMETER',
      )
    }
  }
  if (new Set(tags.map(({ key }) => key)).size < tags.length) {
    throw refused('Tag keys must be unique.', 'DUPLICATE_TAG_KEY')
  }
  return checkTagCount(tags)
}

/** Refuses more tags than a resource can have. */
export function checkTagCount(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  if (tags.length <= tagsMax) return tags
  throw new ApiError(
    'ConstraintViolationException',
    `You have exceeded the number of tags allowed on this resource: ${tagsMax}.`,
    { reason: 'MAX_TAG_LIMIT_EXCEEDED' },
  )
}

const refused = (message: string, reason: string): ApiError =>
  new ApiError('InvalidInputException', message, { reason })
