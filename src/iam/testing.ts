/** For tests: a caller that may do everything. */
import { type Caller, policiesOfStatements, type Statement } from './evaluate.ts'

const everything: readonly Statement[] = [{ effect: 'Allow', actions: ['*'], resources: ['*'] }]

export function callerIn<Id extends string>(accountId: Id): Caller & { readonly accountId: Id } {
  const arn = `arn:aws:iam::${accountId}:user/test`
  return {
    accountId,
    arn,
    userId: 'AIDATEST',
    principal: { kind: 'user', accountId, arn },
    policies: { identity: policiesOfStatements(everything) },
    keys: {},
  }
}
