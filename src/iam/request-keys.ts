/**
 * The global condition keys: what is known of every call, whatever it asks for.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import type { ContextEntries } from '../policies/context.ts'
import type { Principal } from '../policies/principals.ts'
import type { Tag } from '../tags/tag.ts'

export interface CallFacts {
  readonly principal: Principal
  /** `AIDA…`, or `AROA…:session` */
  readonly userId: string
  readonly principalTags: readonly Tag[]
  /** When a session began; nothing for keys that last. */
  readonly tokenIssuedAt: Date | undefined
  readonly region: string
  readonly now: Date
  readonly sourceIp: string
  /** Where the call came from within, if it came over the endpoint that a VPC has. */
  readonly vpcId?: string | undefined
  readonly userAgent: string
  readonly isTls: boolean
}

const types = {
  root: 'Account',
  user: 'User',
  session: 'AssumedRole',
  'federated user': 'FederatedUser',
  service: 'Service',
  anonymous: 'Anonymous',
} as const satisfies Record<Principal['kind'], string>

export function keysOfCall(facts: CallFacts): ContextEntries {
  const { principal, userId, principalTags, tokenIssuedAt, now } = facts
  const isTemporary = tokenIssuedAt !== undefined || principal.kind === 'session'
  return {
    ...keysOfPrincipal(principal),
    ...Object.fromEntries(
      principalTags.map(({ key, value }) => [`aws:PrincipalTag/${key}`, value]),
    ),
    'aws:PrincipalType': types[principal.kind],
    'aws:userid': userId,
    'aws:TokenIssueTime': tokenIssuedAt?.toISOString(),
    // Nobody has a second factor here; of keys that last nothing is said of one.
    'aws:MultiFactorAuthPresent': isTemporary ? 'false' : undefined,
    'aws:RequestedRegion': facts.region,
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': String(Math.floor(now.getTime() / 1000)),
    ...keysOfSource(facts),
    'aws:UserAgent': facts.userAgent,
    'aws:SecureTransport': String(facts.isTls),
    'aws:ViaAWSService': 'false',
  }
}

/** An address of a VPC is known by other keys than one of the world. */
function keysOfSource({ sourceIp, vpcId }: CallFacts): ContextEntries {
  if (vpcId === undefined) return { 'aws:SourceIp': sourceIp }
  return { 'aws:SourceVpc': vpcId, 'aws:VpcSourceIp': sourceIp }
}

function keysOfPrincipal(principal: Principal): ContextEntries {
  if (principal.kind === 'anonymous') return {}
  if (principal.kind === 'service') {
    return { 'aws:PrincipalIsAWSService': 'true', 'aws:PrincipalServiceName': principal.name }
  }
  return {
    'aws:PrincipalAccount': principal.accountId,
    // A session is known by its role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    'aws:PrincipalArn': principal.kind === 'session' ? principal.behindArn : principal.arn,
    'aws:PrincipalIsAWSService': 'false',
    'aws:username': principal.kind === 'user' ? principal.arn.split('/').at(-1) : undefined,
  }
}
