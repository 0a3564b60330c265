/**
 * Who may do what with a key: its own policy decides, and lets the policies of an account's
 * users decide only as far as it says so. Both have to allow where it names an account.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html
 */
import { type Demand, firstRefused, tagsOnResource } from '../iam/demand.ts'
import { tagsOfRequest } from '../iam/ec2-resources.ts'
import type { Caller } from '../iam/evaluate.ts'
import type { ContextEntries } from '../policies/context.ts'
import { parsePolicy } from '../policies/parse.ts'
import { type Key, keyArn } from './key.ts'
import { policyOf } from './policy.ts'

interface Use {
  readonly caller: Pick<Caller, 'accountId'>
  /** `Decrypt` */
  readonly action: string
  /** The service that does it for the caller: `ec2.us-east-1.amazonaws.com`. */
  readonly via?: string
  /** What the call says beside the key. */
  readonly keys?: ContextEntries
}

/** A use of a key that is there, with the policy of that key. */
export function demandOnKey(key: Key, { caller, action, via, keys }: Use): Demand {
  const { accountId, tags } = key
  return {
    action: `kms:${action}`,
    touched: {
      arn: keyArn(key),
      keys: {
        ...tagsOnResource(tags),
        ...keys,
        'kms:CallerAccount': caller.accountId,
        'kms:KeyOrigin': 'AWS_KMS',
        'kms:KeySpec': 'SYMMETRIC_DEFAULT',
        'kms:KeyUsage': 'ENCRYPT_DECRYPT',
        'kms:MultiRegion': 'false',
        'kms:ViaService': via,
        'kms:GrantIsForAWSResource': via && 'true',
      },
      guard: {
        accountId,
        policy: parsePolicy(policyOf(key), 'key', 'key policy'),
        rulesAlone: true,
      },
    },
  }
}

export const mayUse = (key: Key, use: Use & { readonly caller: Caller }): boolean =>
  firstRefused([demandOnKey(key, use)], use.caller, use.caller.keys) === undefined

/** The members of an input that policies can ask for. */
interface Said {
  readonly EncryptionContext?: Readonly<Record<string, string>>
  readonly SourceEncryptionContext?: Readonly<Record<string, string>>
  readonly DestinationEncryptionContext?: Readonly<Record<string, string>>
  readonly Tags?: readonly { readonly TagKey?: string; readonly TagValue?: string }[]
  readonly TagKeys?: readonly string[]
}

/** What a call says beside the key that it names. */
export function keysOfInput(action: string, input: unknown): ContextEntries {
  const { EncryptionContext, Tags = [], TagKeys = [], ...said } = input as Said
  const contexts: Readonly<Record<string, Said['EncryptionContext']>> = {
    ReEncryptFrom: said.SourceEncryptionContext,
    ReEncryptTo: said.DestinationEncryptionContext,
  }
  const context = contexts[action] ?? EncryptionContext ?? {}
  const tags = Tags.map(({ TagKey: key = '', TagValue: value = '' }) => ({ key, value }))
  return {
    ...Object.fromEntries(
      Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value]),
    ),
    'kms:EncryptionContextKeys': Object.keys(context),
    ...tagsOfRequest([...tags, ...TagKeys.map((key) => ({ key }))]),
  }
}
