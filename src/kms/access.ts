/**
 * Who may do what with a key: its own policy decides, and lets the policies of an account's
 * users decide only as far as it says so. Both have to allow where it names an account.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
import { type Caller, questionOf } from '../iam/evaluate.ts'
import { decide } from '../policies/decide.ts'
import { parsePolicy } from '../policies/parse.ts'
import { type Key, keyArn } from './key.ts'
import { policyOf } from './policy.ts'

interface Use {
  readonly caller: Caller
  /** `Decrypt` */
  readonly action: string
  /** The service that does it for the caller: `ec2.us-east-1.amazonaws.com`. */
  readonly via?: string
}

export function mayUse(key: Key, { caller, action, via }: Use): boolean {
  const { accountId } = key
  const keys = {
    'kms:CallerAccount': caller.accountId,
    'kms:ViaService': via,
    'kms:GrantIsForAWSResource': via && 'true',
  }
  const wanted = { action: `kms:${action}`, resource: keyArn(key) }
  const policy = parsePolicy(policyOf(key), 'key')
  const { outcome } = decide(questionOf(caller, wanted, { accountId, keys }), {
    ...caller.policies,
    resource: { policy, rulesAlone: true },
  })
  return outcome === 'allowed'
}
