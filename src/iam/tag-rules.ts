/**
 * What a tag of IAM may be, and how policies see it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
 */
import { ApiError } from '../lib/errors.ts'
import type { ContextEntries } from '../policies/context.ts'
import { type Tag, type TagInput, tagOfInput } from '../tags/tag.ts'
import { foldName } from './entity.ts'

export const entityTagsMax = 50
const keyLengthMax = 128
const valueLengthMax = 256
const letters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** Reads the tags of a call. */
export function readEntityTags(input: readonly TagInput[] | undefined): readonly Tag[] {
  const tags = (input ?? []).map(tagOfInput)
  if (tags.length > entityTagsMax) throw tooManyTags()
  checkTagKeys(tags.map(({ key }) => key))
  for (const { value } of tags) {
    if (value.length > valueLengthMax || !letters.test(value)) {
      throw new ApiError(
        'ValidationError',
        `The specified value for tag value is invalid: ${value}`,
      )
    }
  }
  return tags
}

export function checkTagKeys(keys: readonly string[]): void {
  for (const key of keys) {
    if (key === '' || key.length > keyLengthMax || !letters.test(key)) {
      throw new ApiError('ValidationError', `The specified value for tag key is invalid: ${key}`)
    }
    if (key.toLowerCase().startsWith('aws:')) {
      throw new ApiError(
        'InvalidInput',
        'aws: prefixed tag key names are not allowed for external use.',
      )
    }
  }
  if (new Set(keys.map(foldName)).size < keys.length) {
    throw new ApiError(
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    )
  }
}

export const tooManyTags = (): ApiError =>
  new ApiError('LimitExceeded', 'The number of tags has reached the maximum limit.')

/** What a policy can ask of the tags that something of IAM has. */
export const tagsOnEntity = (tags: readonly Tag[]): ContextEntries =>
  Object.fromEntries(
    tags.flatMap(({ key, value }) => [
      [`aws:ResourceTag/${key}`, value],
      [`iam:ResourceTag/${key}`, value],
    ]),
  )

/** Tags, with others beside them or, where they are of the same key, instead of them. */
export function withTags(tags: readonly Tag[], others: readonly Tag[]): readonly Tag[] {
  const keys = new Set(others.map(({ key }) => foldName(key)))
  return [...tags.filter(({ key }) => !keys.has(foldName(key))), ...others]
}

/** Tags as IAM answers them. */
export const viewEntityTags = (tags: readonly Tag[]) =>
  tags.map(({ key, value }) => ({ Key: key, Value: value }))
