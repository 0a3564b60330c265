/**
 * The tags of a session: those that the call gives, and those that the caller's own session
 * has to pass on.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
import { ApiError } from '../lib/errors.ts'
import type { TagInput } from '../tags/tag.ts'
import { foldName } from './entity.ts'
import type { Caller } from './evaluate.ts'
import type { SessionTag } from './session.ts'
import { readEntityTags } from './tag-rules.ts'

interface Input {
  readonly Tags?: readonly TagInput[] | undefined
  readonly TransitiveTagKeys?: readonly string[] | undefined
}

/** Refuses to change a tag that is passed on. */
export function sessionTags(
  { Tags, TransitiveTagKeys = [] }: Input,
  { sessionTags: own = [] }: Pick<Caller, 'sessionTags'>,
): readonly SessionTag[] {
  const inherited = own.filter(({ isTransitive }) => isTransitive)
  const given = readEntityTags(Tags)
  const keys = new Set(given.map(({ key }) => foldName(key)))
  const changed = inherited.find(({ key }) => keys.has(foldName(key)))
  if (changed) {
    throw new ApiError(
      'ValidationError',
      `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: ${changed.key}`,
    )
  }
  const transitive = new Set(TransitiveTagKeys.map(foldName))
  for (const key of transitive) {
    if (keys.has(key) || inherited.some((tag) => foldName(tag.key) === key)) continue
    throw new ApiError(
      'ValidationError',
      'The specified transitive tag key must be included in the requested tags.',
    )
  }
  const isTransitive = (key: string) => transitive.has(foldName(key))
  return [...inherited, ...given.map((tag) => ({ ...tag, isTransitive: isTransitive(tag.key) }))]
}
