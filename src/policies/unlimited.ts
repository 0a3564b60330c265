/**
 * Whether policies leave nothing that they could refuse, as an administrator's do: then
 * nobody need ask what a call is about. What has a policy of its own is another matter.
 */
import type { Policies } from './decide.ts'
import type { Policy } from './policy.ts'
import type { Principal } from './principals.ts'

export function isUnlimited(
  principal: Principal,
  { identity, boundary, session, serviceControl = [] }: Omit<Policies, 'resource'>,
): boolean {
  const limits = [
    ...(boundary ? [[boundary]] : []),
    ...(session ? [session] : []),
    ...serviceControl,
  ]
  // An account's root needs no policy of its own.
  const layers = principal.kind === 'root' ? limits : [identity, ...limits]
  return [identity, ...limits].every(hasNoDeny) && layers.every((layer) => layer.some(allowsAll))
}

const hasNoDeny = (layer: readonly Policy[]): boolean =>
  layer.every(({ statements }) => statements.every(({ effect }) => effect === 'Allow'))

const allowsAll = ({ statements }: Policy): boolean =>
  statements.some(
    ({ document: { action, resource }, conditions }) =>
      conditions.length === 0 && isEverything(action) && isEverything(resource),
  )

const isEverything = (
  listed: { readonly isNegated: boolean; readonly value: readonly string[] } | undefined,
): boolean => listed !== undefined && !listed.isNegated && listed.value.includes('*')
