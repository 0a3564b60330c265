/** The parameters that a call may change: the caller's own, where the call happens. */
import type { CallContext } from '../wire/operation.ts'
import type { ParameterKey } from './parameter.ts'

export const hereOf = ({ caller, region }: Pick<CallContext, 'caller' | 'region'>) => ({
  accountId: caller.accountId,
  region,
})

export const ownKey = (
  call: Pick<CallContext, 'caller' | 'region'>,
  name: string | undefined,
): ParameterKey => ({ ...hereOf(call), name: name ?? '' })
