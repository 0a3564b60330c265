/**
 * An image by the name of a parameter that stands for it: `resolve:ssm:NAME`, with
 * a version or a label, or with an ARN for the name.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-systems-manager-parameter-to-find-AMI.html
 */
import type { Database } from '../db/database.ts'
import type { Demand } from '../iam/demand.ts'
import { ApiError } from '../lib/errors.ts'
import type { Owner } from '../lib/owner.ts'
import { lookUp } from './find.ts'
import { onParameters } from './permissions.ts'
import { parseReference } from './reference.ts'

const prefix = 'resolve:ssm:'

/** The parameter that an image is named by, or nothing where it is named by its id. */
const aliasOf = (imageId: string): string | undefined =>
  imageId.startsWith(prefix) ? imageId.slice(prefix.length) : undefined

/** The id of an image that a call names by its id or by a parameter. */
export async function resolveImageId(db: Database, here: Owner, imageId: string): Promise<string> {
  const alias = aliasOf(imageId)
  if (alias === undefined) return imageId
  const found = await lookUp(db, here, parseAlias(alias, here))
  if (found.kind !== 'found') throw invalidAlias(alias)
  if (found.version.dataType === 'aws:ec2:image') return found.version.value
  throw new ApiError(
    'SsmInvalidParameter',
    'Unsupported data type. The following parameter data types are supported: aws:ec2:image',
  )
}

/** Who launches an image by a parameter needs to be allowed to read that. */
export async function demandsToResolve(
  imageId: string,
  context: Parameters<typeof onParameters>[2],
): Promise<readonly Demand[]> {
  const alias = aliasOf(imageId)
  if (alias === undefined) return []
  const { caller, region } = context
  parseAlias(alias, { accountId: caller.accountId, region })
  return await onParameters('GetParameters', [alias], context)
}

function parseAlias(alias: string, here: Owner) {
  try {
    return parseReference(alias, here)
  } catch (error) {
    if (error instanceof ApiError) throw invalidAlias(alias)
    throw error
  }
}

const invalidAlias = (alias: string): ApiError =>
  new ApiError('SsmInvalidParameter', `The following aliases are invalid: ${alias.slice(0, 200)}`)
