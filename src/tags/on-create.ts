/** The tags that a call gives to what it makes (`TagSpecification.N`). */
import { ApiError } from '../lib/errors.ts'
import { checkTags, readTags, type ResourceType, type Tag, type TagInput } from './tag.ts'

interface TagSpecification {
  readonly ResourceType?: string | undefined
  readonly Tags?: readonly TagInput[] | undefined
}

/** Reads them by kind. Refuses a kind that the call does not make. */
export function tagsOnCreate(
  specifications: readonly TagSpecification[] | undefined,
  allowed: readonly ResourceType[],
): ReadonlyMap<ResourceType, readonly Tag[]> {
  const found = new Map<ResourceType, readonly Tag[]>()
  for (const { ResourceType: wanted, Tags } of specifications ?? []) {
    if (!wanted) {
      throw new ApiError('MissingParameter', 'Tag specification resource type must have a value')
    }
    const type = allowed.find((one) => one === wanted)
    if (!type) {
      throw new ApiError(
        'InvalidParameterValue',
        `'${wanted}' is not a valid taggable resource type for this operation.`,
      )
    }
    if (!Tags || Tags.length === 0) {
      throw new ApiError('InvalidParameterValue', 'Tag specification must have at least one tag')
    }
    found.set(type, checkTags([...(found.get(type) ?? []), ...readTags(Tags)]))
  }
  return found
}
