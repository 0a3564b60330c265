/** The profile that a call gives to an instance, and what its caller needs for that. */
import type { Database } from '../db/database.ts'
import type { Demand } from '../iam/demand.ts'
import { type Entity, entityArn } from '../iam/entity.ts'
import { findEntity } from '../iam/entity-store.ts'
import { toPass } from '../iam/pass-role.ts'
import { findRoleOfProfile } from '../iam/profiles.ts'
import { invalidProfile, type ProfileSpec, profileWithoutRole, readSpec } from './association.ts'

interface Owner {
  readonly accountId: string
}

/** The profile; nothing where the call names none. It has to be of the account, and have a role. */
export async function chooseProfile(
  db: Database,
  owner: Owner,
  given: ProfileSpec | undefined,
): Promise<Entity | undefined> {
  const spec = readSpec(given)
  if (!spec) return undefined
  const profile = await findNamedProfile(db, owner, spec)
  if (!profile) throw invalidProfile(spec)
  if (!(await findRoleOfProfile(db, profile.id))) throw profileWithoutRole(entityArn(profile))
  return profile
}

/** The permission to pass on the role of the profile that a call names, where there is one. */
export async function demandsToPass(
  db: Database,
  owner: Owner,
  spec: ProfileSpec | undefined,
): Promise<readonly Demand[]> {
  const profile = spec && (await findNamedProfile(db, owner, spec))
  const found = profile && (await findRoleOfProfile(db, profile.id))
  return found ? [toPass(found.role)] : []
}

/** Found by its name whatever the case of its letters, and meant only as it is written. */
export async function findNamedProfile(
  db: Database,
  { accountId }: Owner,
  { Arn, Name }: ProfileSpec,
): Promise<Entity | undefined> {
  const name = Arn ? Arn.split('/').at(-1) : Name
  if (!name) return undefined
  const found = await findEntity(db, { accountId, kind: 'profile', name })
  if (!found) return undefined
  return (Arn ? entityArn(found) === Arn : found.name === name) ? found : undefined
}
