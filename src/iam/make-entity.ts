/**
 * Makes what IAM keeps by name and path: first what it shall be, for a caller who may make it
 * like that, with its boundary and its tags; then, when the rest of the call has been read, its row.
 */
import type { Tx } from '../db/database.ts'
import type { Tag, TagInput } from '../tags/tag.ts'
import type { WriteCall } from '../wire/operation.ts'
import { tagsOfRequest } from './ec2-resources.ts'
import {
  checkName,
  checkPath,
  type Entity,
  entityArn,
  entityExists,
  type EntityKind,
  kindWords,
  newEntityId,
} from './entity.ts'
import { insertEntity } from './entity-store.ts'
import { requireAllowed } from './evaluate.ts'
import { parameterOf } from './find.ts'
import { requireAttachable } from './find-policy.ts'
import { readEntityTags } from './tag-rules.ts'
import { putEntityTags } from './tag-store.ts'

interface Input {
  readonly Path?: string | undefined
  readonly PermissionsBoundary?: string | undefined
  readonly Tags?: readonly TagInput[] | undefined
}

interface NewEntity {
  readonly entity: Entity
  readonly tags: readonly Tag[]
}

export function newEntity(
  call: Pick<WriteCall<Input>, 'input' | 'caller' | 'now' | 'randomBytes'>,
  kind: EntityKind,
  name: string | undefined,
): NewEntity {
  const { input, caller, now, randomBytes } = call
  const entity = {
    id: newEntityId(kind, randomBytes),
    accountId: caller.accountId,
    kind,
    name: checkName(kind, name ?? '', parameterOf[kind]),
    path: checkPath(input.Path ?? '/'),
    createdAt: now,
    boundaryArn: input.PermissionsBoundary,
  }
  const tags = readEntityTags(input.Tags)
  const keys = { 'iam:PermissionsBoundary': entity.boundaryArn, ...tagsOfRequest(tags) }
  const resource = entityArn(entity)
  const word = kindWords[kind]
  requireAllowed(caller, { action: `iam:Create${word}`, resource }, { keys })
  if (tags.length > 0) requireAllowed(caller, { action: `iam:Tag${word}`, resource }, { keys })
  return { entity, tags }
}

/** Refuses a boundary that is none, and a name that another of the kind has. */
export async function makeEntity(tx: Tx, { entity, tags }: NewEntity): Promise<void> {
  const { accountId, boundaryArn, id, kind, name } = entity
  if (boundaryArn !== undefined) await requireAttachable(tx, boundaryArn, accountId)
  if (!(await insertEntity(tx, entity))) throw entityExists(kind, name)
  await putEntityTags(tx, id, tags)
}
