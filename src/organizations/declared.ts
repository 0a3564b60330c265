/**
 * What the declarative policies of an account's organization say about its settings. They
 * bind the management account too. What is declared takes the place of what the account
 * says itself, which it cannot change meanwhile, and which holds again afterwards.
 */
import type { Database, Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { findDeclared, replaceDeclared } from './declared-store.ts'
import {
  type Attribute,
  checkAttributes,
  type Ec2Attributes,
  readAttributes,
} from './ec2-attributes.ts'
import { type EffectiveTree, merge, type PolicyTree } from './inheritance.ts'
import { listEnabledTypes, listInherited } from './policy-store.ts'
import { findStanding, listMembers } from './store.ts'
import { declaredCode, declaredMessage } from './unknowns.ts'

export const declarativeType = 'DECLARATIVE_POLICY_EC2'

export interface Effective {
  readonly tree: EffectiveTree
  readonly changedAt: Date
}

/** What is in effect for an account; nothing where no policy says anything. */
export async function findEffective(
  db: Database,
  accountId: string,
): Promise<Effective | undefined> {
  const standing = await findStanding(db, accountId)
  if (!standing?.policyTypes.includes(declarativeType)) return undefined
  const levels = new Map<number, PolicyTree[]>()
  let changedAtMs = 0
  for (const { height, policy } of await listInherited(db, accountId, declarativeType)) {
    if (!policy) continue
    const level = levels.get(height) ?? []
    levels.set(height, [...level, checkAttributes(policy.content)])
    changedAtMs = Math.max(changedAtMs, policy.changedAt.getTime())
  }
  if (levels.size === 0) return undefined
  return { tree: merge([...levels.values()]), changedAt: new Date(changedAtMs) }
}

/** Works out anew what holds for each account, after anything has changed that this depends on. */
export async function redeclare(tx: Tx, organizationId: string): Promise<void> {
  const declared = new Map<string, Ec2Attributes>()
  if ((await listEnabledTypes(tx, organizationId)).includes(declarativeType)) {
    for (const { accountId } of await listMembers(tx, { organizationId })) {
      const effective = await findEffective(tx, accountId)
      if (effective) declared.set(accountId, readAttributes(effective.tree))
    }
  }
  await replaceDeclared(tx, organizationId, declared)
}

/** Refuses to change what is declared, in the words of the policy where it has some. */
export async function requireUndeclared(
  db: Database,
  accountId: string,
  attribute: Attribute,
): Promise<void> {
  const declared = await findDeclared(db, accountId)
  if (declared[attribute] === undefined) return
  throw new ApiError(declaredCode, declared.exceptionMessage ?? declaredMessage)
}
