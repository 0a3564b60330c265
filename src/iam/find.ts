/**
 * What a call names, for a caller who may do that to it. What is not there is judged by
 * the ARN that it would have: nobody learns what exists without being allowed to ask.
 */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { ContextEntries } from '../policies/context.ts'
import { checkName, type Entity, entityArn, type EntityKind, noSuchEntity } from './entity.ts'
import { findEntities, findEntity } from './entity-store.ts'
import { type Caller, requireAllowed } from './evaluate.ts'
import { tagsOnEntity } from './tag-rules.ts'
import { listEntityTags } from './tag-store.ts'

interface Call {
  readonly caller: Caller
}

interface Named {
  readonly kind: EntityKind
  readonly name: string | undefined
  /** The condition keys of the call, where it has some of its own. */
  readonly keysOf?: (entity: Entity | undefined) => ContextEntries
}

/** The parameter that names an entity of each kind. */
export const parameterOf = {
  user: 'userName',
  group: 'groupName',
  role: 'roleName',
  policy: 'policyName',
  profile: 'instanceProfileName',
} as const satisfies Record<EntityKind, string>

export async function requireEntity(
  db: Database,
  { caller }: Call,
  action: string,
  { kind, name, keysOf }: Named,
): Promise<Entity> {
  const { accountId } = caller
  const key = { accountId, kind, name: checkName(kind, name ?? '', parameterOf[kind]) }
  const entity = await findEntity(db, key)
  const resource = entityArn(entity ?? { ...key, path: '/' })
  const tags = entity ? await listEntityTags(db, entity.id) : []
  const keys = { ...tagsOnEntity(tags), ...keysOf?.(entity) }
  requireAllowed(caller, { action: `iam:${action}`, resource }, { keys })
  if (!entity) throw noSuchEntity(kind, key.name)
  return entity
}

/** The user that a call names, or the one who calls where it names none. */
export async function requireUser(
  db: Database,
  call: Call,
  action: string,
  name: string | undefined,
): Promise<Entity> {
  if (name !== undefined) return await requireEntity(db, call, action, { kind: 'user', name })
  const [self] = await findEntities(db, [call.caller.userId])
  if (self?.kind !== 'user') {
    throw new ApiError(
      'ValidationError',
      'Must specify userName when calling with non-User credentials',
    )
  }
  requireAllowed(call.caller, { action: `iam:${action}`, resource: entityArn(self) })
  return self
}
