/**
 * Finds what refers to images among an account's own resources. Recipes of Image
 * Builder there are none of here, and so they refer to nothing.
 */
import type { Database } from '../db/database.ts'
import { listInstancesOfImages } from '../instances/store.ts'
import type { Id } from '../lib/ids.ts'
import type { Owner } from '../lib/owner.ts'
import { parameterArn } from '../parameters/parameter.ts'
import { listParameters } from '../parameters/store.ts'
import type { ReferringType, Scope } from './reference.ts'

export interface Reference {
  readonly imageId: Id<'image'>
  readonly type: ReferringType
  readonly arn: string
}

/** In the order of images, types and ARNs. */
export async function listReferences(
  db: Database,
  query: Owner & {
    readonly imageIds: readonly Id<'image'>[]
    readonly scopes: readonly Scope[]
  },
): Promise<readonly Reference[]> {
  const { accountId, region, imageIds, scopes } = query
  const found: Reference[] = []
  for (const { type, states } of scopes) {
    if (type === 'ssm:Parameter') {
      for (const { latest } of await listParameters(db, { accountId, region })) {
        const imageId = imageIds.find((id) => id === latest.value)
        if (!imageId || latest.dataType !== 'aws:ec2:image') continue
        found.push({ imageId, type, arn: parameterArn(latest) })
      }
    }
    if (type !== 'ec2:Instance') continue
    const instances = await listInstancesOfImages(db, { accountId, region, imageIds, states })
    for (const { id, imageId } of instances) {
      found.push({ imageId, type, arn: `arn:aws:ec2:${region}:${accountId}:instance/${id}` })
    }
  }
  return found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** What tells a reference from all others. */
export const keyOf = ({ imageId, type, arn }: Reference): string => `${imageId} ${type} ${arn}`
