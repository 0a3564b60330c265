/** May a caller do a thing? A pure function of policies and a request. */
import { ApiError } from '../lib/errors.ts'
import { isLike } from '../lib/like.ts'

export interface Caller {
  readonly accountId: string
  /** `arn:aws:iam::123456789012:user/admin` */
  readonly arn: string
  readonly userId: string
  readonly policies: readonly Statement[]
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

export interface Permission {
  /** `ec2:RunInstances` */
  readonly action: string
  readonly resource: string
}

export type Decision = 'allowed' | 'denied' | 'not allowed'

/** An explicit deny beats any allow, and silence is no. */
export function evaluate(statements: readonly Statement[], wanted: Permission): Decision {
  const matching = statements.filter((statement) => matches(statement, wanted))
  if (matching.some((statement) => statement.effect === 'Deny')) return 'denied'
  if (matching.some((statement) => statement.effect === 'Allow')) return 'allowed'
  return 'not allowed'
}

/** Throws unless the caller is allowed. */
export function requireAllowed(caller: Caller, wanted: Permission): void {
  if (evaluate(caller.policies, wanted) === 'allowed') return
  throw new ApiError(
    'UnauthorizedOperation',
    `You are not authorized to perform this operation. User: ${caller.arn} is not ` +
      `authorized to perform: ${wanted.action} on resource: ${wanted.resource}`,
  )
}

function matches(statement: Statement, wanted: Permission): boolean {
  const action = wanted.action.toLowerCase()
  return (
    statement.actions.some((pattern) => isLike(pattern.toLowerCase(), action)) &&
    statement.resources.some((pattern) => isLike(pattern, wanted.resource))
  )
}
