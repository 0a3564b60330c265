/** The instances that a call names: all of them, or it is refused. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { CallContext } from '../wire/operation.ts'
import { type Instance, instanceNotFound, parseInstanceId } from './instance.ts'
import { listInstances } from './store.ts'

/** In the order in which they are named, each once. */
export async function findInstances(
  db: Database,
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
  ids: readonly string[],
): Promise<readonly Instance[]> {
  const wanted = [...new Set(ids.map(parseInstanceId))]
  const found = await listInstances(db, { accountId: caller.accountId, region, ids: wanted })
  const byId = new Map(found.map((instance) => [instance.id, instance]))
  const missing = wanted.filter((id) => !byId.has(id))
  if (missing.length > 0) throw instanceNotFound(missing)
  return wanted.flatMap((id) => byId.get(id) ?? [])
}

export async function findOneInstance(
  db: Database,
  context: Pick<CallContext, 'caller' | 'region'>,
  id: string,
): Promise<Instance> {
  const [instance] = await findInstances(db, context, [id])
  if (!instance) throw instanceNotFound([id])
  return instance
}

/** A list of ids is answered whole: it has no pages. */
export function checkNoPagesOfIds(ids: readonly string[], maxResults: number | undefined): void {
  if (ids.length === 0 || maxResults === undefined) return
  throw new ApiError(
    'InvalidParameterCombination',
    'The parameter instancesSet cannot be used with the parameter maxResults',
  )
}
