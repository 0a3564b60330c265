/** The parameter that a call on tags names, or the call is refused. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Tag } from '../tags/tag.ts'
import type { ParameterKey } from './parameter.ts'
import { findTags } from './store.ts'

/** SSM has tags on much else, of which nothing is here. */
export async function tagsOfParameter(
  db: Database,
  key: ParameterKey,
  resourceType: string | undefined,
): Promise<readonly Tag[]> {
  if (resourceType !== 'Parameter') {
    throw new ApiError(
      'InvalidResourceType',
      'The resource type is not valid. Valid resource types here include: [Parameter].',
    )
  }
  const tags = await findTags(db, key)
  if (tags) return tags
  throw new ApiError(
    'InvalidResourceId',
    'The resource ID is not valid. Verify that you entered the correct ID and try again.',
  )
}
