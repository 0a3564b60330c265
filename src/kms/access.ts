/**
 * Who may do what with a key: its own policy decides, and lets the policies of an account's
 * users decide only as far as it says so. Both have to allow where it names an account.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
import { type Caller, evaluate } from '../iam/evaluate.ts'
import { contextOf } from '../policies/context.ts'
import { decide } from '../policies/decide.ts'
import { parsePolicy } from '../policies/parse.ts'
import { type Key, keyArn } from './key.ts'
import { policyOf } from './policy.ts'

/** What the caller's own policies allow is known before: this one stands for it. */
const everything = parsePolicy(
  '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}',
  'managed',
)

interface Use {
  readonly caller: Caller
  /** `Decrypt` */
  readonly action: string
  /** The service that does it for the caller: `ec2.us-east-1.amazonaws.com`. */
  readonly via?: string
}

export function mayUse(key: Key, { caller, action, via }: Use): boolean {
  const [wanted, resource] = [`kms:${action}`, keyArn(key)]
  const own = evaluate(caller.policies, { action: wanted, resource })
  if (own === 'denied') return false
  const { accountId, arn } = caller
  const context = contextOf({
    'kms:CallerAccount': accountId,
    'kms:ViaService': via,
    'kms:GrantIsForAWSResource': via && 'true',
  })
  const principal = { kind: arn.endsWith(':root') ? 'root' : 'user', accountId, arn } as const
  const { outcome } = decide(
    { principal, action: wanted, resource, resourceAccountId: key.accountId, context },
    {
      identity: own === 'allowed' ? [everything] : [],
      resource: { policy: parsePolicy(policyOf(key), 'key'), rulesAlone: true },
    },
  )
  return outcome === 'allowed'
}
