/** What a caller needs to be allowed for a call that names parameters. */
import { type Demand, demandOn } from '../iam/demand.ts'
import { parameterArn } from './parameter.ts'
import { publicPrefix } from './public.ts'
import { parseReference } from './reference.ts'

interface Asking {
  readonly caller: { readonly accountId: string }
  readonly region: string
}

/** `action` on each parameter of `names`, which may be ARNs and may have selectors. */
export function onParameters(
  action: string,
  names: readonly string[],
  { caller, region }: Asking,
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
