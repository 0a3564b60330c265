/** What the `Principal` of a policy may name, compiled. */
import type { ApiError } from '../lib/errors.ts'
import type { PrincipalDocument } from './document.ts'
import { awsPrincipal, type PrincipalPattern } from './principals.ts'

/** Compiles a `Principal`. Throws what IAM answers where one of them names nobody. */
export function readPrincipals(
  document: PrincipalDocument,
  malformed: (message: string) => ApiError,
): readonly PrincipalPattern[] {
  if (document === '*') return [{ kind: 'everyone' }]
  return Object.entries(document).flatMap(([kind, names]) =>
    names.map((name) => {
      const pattern = readPrincipal(kind, name)
      if (pattern) return pattern
      throw malformed(`Invalid principal in policy: "${kind}":"${name}"`)
    }),
  )
}

function readPrincipal(kind: string, name: string): PrincipalPattern | undefined {
  if (kind === 'AWS') return awsPrincipal(name)
  if (kind !== 'Service') return name === '' ? undefined : { kind: 'elsewhere', name }
  return /^[a-z0-9.-]+\.[a-z.]+$/.test(name) ? { kind: 'service', name } : undefined
}
