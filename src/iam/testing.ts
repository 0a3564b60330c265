/** For tests: a caller whom nobody asks what it may do. */
import type { Caller } from './evaluate.ts'

export function callerIn<Id extends string>(accountId: Id): Caller & { readonly accountId: Id } {
  const arn = `arn:aws:iam::${accountId}:user/test`
  return {
    accountId,
    arn,
    userId: 'AIDATEST',
    principal: { kind: 'user', accountId, arn },
    policies: { identity: [] },
    keys: {},
  }
}
