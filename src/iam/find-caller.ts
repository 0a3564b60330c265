/**
 * Somebody who does not call now, but is asked about: an account, as its root user is, or
 * a user or role, with the policies that would be read for a call of theirs. What only a
 * call has, such as the address that it is from, is not known of them.
 */
import type { Database } from '../db/database.ts'
import type { Principal } from '../policies/principals.ts'
import type { Tag } from '../tags/tag.ts'
import { entityArn } from './entity.ts'
import { findEntity } from './entity-store.ts'
import { type Caller, policiesOfStatements } from './evaluate.ts'
import { policiesOf } from './policies-of.ts'
import { keysOfCall } from './request-keys.ts'
import { boundsOf } from './service-control.ts'
import { findAccount, findHolder } from './store.ts'
import { listEntityTags } from './tag-store.ts'

interface Named {
  readonly accountId: string
  readonly kind: 'root' | 'user' | 'group' | 'role'
  readonly arn: string
}

const rootArn = (accountId: string): string => `arn:aws:iam::${accountId}:root`

/** Reads an account's number, or the ARN of a root user, a user, a role or a role's session. */
export function parsePrincipal(text: string): Named | undefined {
  if (/^\d{12}$/.test(text)) return { accountId: text, kind: 'root', arn: rootArn(text) }
  const own = /^arn:aws:iam::(\d{12}):(root|user|group|role)(?:\/.+)?$/.exec(text)
  const [, accountId, kind] = own ?? []
  if (accountId !== undefined && kind !== undefined) {
    return { accountId, kind: kind as Named['kind'], arn: text }
  }
  const session = /^arn:aws:sts::(\d{12}):assumed-role\/([^/]+)\/[^/]+$/.exec(text)
  const [, ofAccount, role] = session ?? []
  if (ofAccount === undefined || role === undefined) return undefined
  return { accountId: ofAccount, kind: 'role', arn: `arn:aws:iam::${ofAccount}:role/${role}` }
}

/** The caller that `named` would be in a Region, or nothing where there is no such user or role. */
export async function findCaller(
  db: Database,
  named: Named,
  { region, now }: { readonly region: string; readonly now: Date },
): Promise<Caller | undefined> {
  const found = await findHolding(db, named)
  if (!found) return undefined
  const { principal, userId, policies, tags = [] } = found
  const { accountId } = named
  const arn = principal.kind === 'service' || principal.kind === 'anonymous' ? '' : principal.arn
  const { find, keys: ofOrganization } = await boundsOf(db, accountId)
  const all = keysOfCall({
    principal,
    userId,
    principalTags: tags,
    tokenIssuedAt: undefined,
    region,
    now,
    sourceIp: '',
    userAgent: '',
    isTls: false,
  })
  const ofCall = ['aws:SourceIp', 'aws:UserAgent', 'aws:SecureTransport']
  const keys = Object.fromEntries(Object.entries(all).filter(([key]) => !ofCall.includes(key)))
  return {
    accountId,
    arn,
    userId,
    principal,
    policies: { ...policies, serviceControl: await find() },
    keys: { ...keys, ...ofOrganization },
  }
}

interface Holding {
  readonly principal: Principal
  readonly userId: string
  readonly policies: Caller['policies']
  readonly tags?: readonly Tag[]
}

async function findHolding(
  db: Database,
  { accountId, kind, arn }: Named,
): Promise<Holding | undefined> {
  if (kind === 'root') {
    if (!(await findAccount(db, accountId))) return undefined
    const principal = { kind: 'root', accountId, arn } as const
    return { principal, userId: accountId, policies: { identity: [] } }
  }
  const name = arn.split('/').at(-1) ?? ''
  const entity = await findEntity(db, { accountId, kind, name })
  if (entity?.kind === 'role') {
    const behindArn = entityArn(entity)
    // A role calls by its sessions; which one makes no difference to most policies.
    const session = `arn:aws:sts::${accountId}:assumed-role/${name}/session`
    return {
      principal: { kind: 'session', accountId, arn: session, behindArn },
      userId: `${entity.id}:session`,
      policies: await policiesOf(db, entity),
      tags: await listEntityTags(db, entity.id),
    }
  }
  if (entity && entityArn(entity) === arn) {
    return {
      principal: { kind: 'user', accountId, arn },
      userId: entity.id,
      policies: await policiesOf(db, entity),
      tags: await listEntityTags(db, entity.id),
    }
  }
  // The installation's own keys are of users whom IAM has not made.
  const holder = await findHolder(db, arn)
  return (
    holder && {
      principal: { kind: 'user', accountId, arn },
      userId: holder.userId,
      policies: { identity: policiesOfStatements(holder.policies) },
    }
  )
}
