/** What a caller needs to be allowed for a call that names parameters. */
import { type Demand, demandOn } from '../iam/demand.ts'
import type { CallContext } from '../wire/operation.ts'
import { parameterArn } from './parameter.ts'
import { publicPrefix } from './public.ts'
import { parseReference } from './reference.ts'

/** `action` on each parameter of `names`, which may be ARNs and may have selectors. */
export function onParameters(
  action: string,
  names: readonly string[],
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
): readonly Demand[] {
  return names.map((text) => {
    const { accountId } = caller
    const reference = parseReference(text, { accountId, region })
    const [name = ''] = reference.names
    const owner = name.startsWith(publicPrefix) ? '' : reference.accountId
    const { region: place } = reference
    return demandOn(`ssm:${action}`, parameterArn({ accountId: owner, region: place, name }))
  })
}
