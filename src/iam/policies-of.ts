/**
 * The policies that a user or role has a say by: those attached to it and to its groups,
 * its inline ones and theirs, and its boundary. They are read anew for each call, so that
 * what is taken away is gone at once; a document that was compiled before is not again.
 */
import type { Database } from '../db/database.ts'
import type { Policies } from '../policies/decide.ts'
import { parsePolicy } from '../policies/parse.ts'
import { type Policy, type PolicyKind, policyOf } from '../policies/policy.ts'
import type { Entity } from './entity.ts'
import { listDocuments } from './find-policy.ts'
import { listHolders } from './membership-store.ts'
import { listAttached, listInlinePolicies } from './policy-store.ts'

export async function policiesOf(
  db: Database,
  { id, kind, boundaryArn }: Pick<Entity, 'id' | 'kind' | 'boundaryArn'>,
): Promise<Pick<Policies, 'identity' | 'boundary'>> {
  const owners = kind === 'user' ? [id, ...(await listHolders(db, id))] : [id]
  const managed = await listDocuments(db, await listAttached(db, owners))
  const inline = await listInlinePolicies(db, owners)
  const identity = [
    ...managed.map(({ arn, document }) => compiled(document, 'managed', arn)),
    ...inline.map(({ name, document }) => compiled(document, 'inline of a role', name)),
  ]
  if (boundaryArn === undefined) return { identity }
  const [boundary] = await listDocuments(db, [boundaryArn])
  if (boundary) return { identity, boundary: compiled(boundary.document, 'managed', boundaryArn) }
  // A boundary that is gone allows nothing.
  const gone = { name: boundaryArn, id: undefined, version: '2012-10-17', statements: [] } as const
  return { identity, boundary: policyOf(gone) }
}

const known = new Map<string, Policy>()
const knownMax = 2000

/** A policy that was compiled before is not again. */
export function compiled(document: string, kind: PolicyKind, name: string): Policy {
  const key = `${name}\n${document}`
  let policy = known.get(key)
  if (!policy) {
    if (known.size >= knownMax) known.clear()
    policy = parsePolicy(document, kind, name)
    known.set(key, policy)
  }
  return policy
}
