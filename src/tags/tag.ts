/** A tag: a key and a value that an account puts on a resource, its own or one that it may see. */
import { ApiError } from '../lib/errors.ts'
import type { Kind } from '../lib/ids.ts'

export interface Tag {
  readonly key: string
  readonly value: string
}

/** What can be tagged, by the names that EC2 gives the kinds. */
export type ResourceType = Exclude<
  Kind,
  'instance-profile-association' | 'network-interface-attachment' | 'reservation'
>

/** A tag as a call brings it. */
export interface TagInput {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

export const tagOfInput = ({ Key: key = '', Value: value = '' }: TagInput): Tag => ({ key, value })

/** Tags, with others beside them or, where they are of the same key, instead of them. */
export const withTags = (tags: readonly Tag[], others: readonly Tag[]): readonly Tag[] => [
  ...tags.filter(({ key }) => !others.some((other) => other.key === key)),
  ...others,
]

/** What the key of a tag begins with that is seen by all who have its resource, where that is shared. */
export const sharedTagPrefix = 'ec2:SharedTag/'

export const tagsMax = 50
const keyLengthMax = 128
const valueLengthMax = 256

/** Reads the tags of a call; a value that is missing is empty. */
export function readTags(input: readonly TagInput[] | undefined): readonly Tag[] {
  return checkTags((input ?? []).map(tagOfInput))
}

/** Refuses tags that no resource can have. */
export function checkTags(tags: readonly Tag[]): readonly Tag[] {
  if (tags.length > tagsMax) throw tooManyTags()
  const keys = new Set<string>()
  for (const { key, value } of tags) {
    checkTagKey(key)
    if (lengthOf(value) > valueLengthMax) {
      throw new ApiError(
        'InvalidParameterValue',
        `Tag value exceeds the maximum length of ${valueLengthMax} characters`,
      )
    }
    if (keys.has(key)) {
      throw new ApiError('InvalidParameterValue', `Duplicate tag key '${key}' specified.`)
    }
    keys.add(key)
  }
  return tags
}

export function checkTagKey(key: string): void {
  if (key === '') throw new ApiError('InvalidParameterValue', 'Tag key cannot be empty')
  if (lengthOf(key) > keyLengthMax) {
    throw new ApiError(
      'InvalidParameterValue',
      `Tag key exceeds the maximum length of ${keyLengthMax} characters`,
    )
  }
  if (key.toLowerCase().startsWith('aws:')) {
    throw new ApiError(
      'InvalidParameterValue',
      `Value ( ${key} ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use`,
    )
  }
}

export function tooManyTags(): ApiError {
  return new ApiError(
    'TagLimitExceeded',
    'The maximum number of Tags for a resource has been reached.',
  )
}

/** AWS counts characters, and a pair of surrogates is one. */
const lengthOf = (text: string): number => Array.from(text).length
