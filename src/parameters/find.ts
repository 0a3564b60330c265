/** Finds the version of a parameter that a call names: one of the caller's own, or a public one. */
import type { Database } from '../db/database.ts'
import { parameterNotFound, type ParameterVersion, versionNotFound } from './parameter.ts'
import { listPublicParameters, publicPrefix } from './public.ts'
import { isVersion, type Reference } from './reference.ts'
import { findLatest, listVersions } from './store.ts'

interface Here {
  readonly accountId: string
  readonly region: string
}

export type Found =
  | { readonly kind: 'found'; readonly version: ParameterVersion }
  | { readonly kind: 'no parameter' | 'no version'; readonly name: string }

/** Looks a reference up, as the account that is `here` sees it. */
export async function lookUp(db: Database, here: Here, reference: Reference): Promise<Found> {
  const { names, region, accountId } = reference
  const [first = ''] = names
  // Nobody sees the parameters of another account, nor from one Region into another.
  const isOwn = accountId === here.accountId
  if (region === here.region) {
    for (const name of names) {
      const versions = name.startsWith(publicPrefix)
        ? (await listPublicParameters(db, region)).filter((parameter) => parameter.name === name)
        : isOwn
          ? await versionsOf(db, { accountId, region, name }, reference.selector)
          : []
      if (versions.length === 0) continue
      const version = select(versions, reference.selector)
      return version ? { kind: 'found', version } : { kind: 'no version', name }
    }
  }
  return { kind: 'no parameter', name: first }
}

/** As `lookUp`, or the call is refused. */
export async function requireVersion(
  db: Database,
  here: Here,
  reference: Reference,
): Promise<ParameterVersion> {
  const found = await lookUp(db, here, reference)
  if (found.kind === 'found') return found.version
  if (found.kind === 'no version') throw versionNotFound(found.name, reference.selector ?? '')
  throw parameterNotFound(reference.text)
}

async function versionsOf(
  db: Database,
  key: Here & { readonly name: string },
  selector: string | undefined,
): Promise<readonly ParameterVersion[]> {
  if (selector !== undefined) return await listVersions(db, key)
  const latest = await findLatest(db, key)
  return latest ? [latest] : []
}

function select(
  versions: readonly ParameterVersion[],
  selector: string | undefined,
): ParameterVersion | undefined {
  if (selector === undefined) return versions.at(-1)
  return versions.find(({ version, labels }) =>
    isVersion(selector) ? version === Number(selector) : labels.includes(selector),
  )
}
