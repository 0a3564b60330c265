/**
 * The kinds of policy: what each may say, how long it may be, and with which error a
 * document is refused that is none. White space does not count in a length.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
 */
import { ApiError, type ErrorCode } from '../lib/errors.ts'
import { isAbout, type Statement } from './statement.ts'

export interface Policy {
  /** As a decision names it: the ARN, or the name of an inline policy. */
  readonly name: string
  readonly id: string | undefined
  readonly version: Version
  readonly statements: readonly Statement[]
  /** Those of the statements that are about an action, which is in lower case. */
  about(action: string): readonly Statement[]
}

/** A policy of these statements. Which of them are about an action is found once. */
export function policyOf(policy: Omit<Policy, 'about'>): Policy {
  const known = new Map<string, readonly Statement[]>()
  return {
    ...policy,
    about(action) {
      let statements = known.get(action)
      if (!statements) {
        // Callers can ask about any text for an action.
        if (known.size >= actionsMax) known.clear()
        statements = policy.statements.filter((statement) => isAbout(statement, action))
        known.set(action, statements)
      }
      return statements
    },
  }
}

const actionsMax = 500

export type Version = '2008-10-17' | '2012-10-17'

export interface PolicyRules {
  readonly code: ErrorCode
  readonly principals: 'required' | 'prohibited'
  /** A trust policy is about the role that it belongs to. */
  readonly resources: 'required' | 'optional' | 'prohibited'
  /** Managed policies must say that they are of 2012-10-17; for others 2008-10-17 is meant where nothing is said. */
  readonly since2012: boolean
  readonly lengthMax: number
}

const ofIdentity = {
  code: 'MalformedPolicyDocument',
  principals: 'prohibited',
  resources: 'required',
  since2012: false,
} as const

export const policyKinds = {
  managed: { ...ofIdentity, since2012: true, lengthMax: 6144 },
  // Those of one user, group or role together.
  'inline of a user': { ...ofIdentity, lengthMax: 2048 },
  'inline of a group': { ...ofIdentity, lengthMax: 5120 },
  'inline of a role': { ...ofIdentity, lengthMax: 10_240 },
  session: { ...ofIdentity, lengthMax: 2048 },
  trust: {
    code: 'MalformedPolicyDocument',
    principals: 'required',
    resources: 'prohibited',
    since2012: false,
    lengthMax: 2048,
  },
  key: {
    code: 'MalformedPolicyDocumentException',
    principals: 'required',
    resources: 'required',
    since2012: false,
    lengthMax: 32_768,
  },
  'service control': {
    ...ofIdentity,
    code: 'MalformedPolicyDocumentException',
    lengthMax: 5120,
  },
} as const satisfies Record<string, PolicyRules>

export type PolicyKind = keyof typeof policyKinds

/** The length of a document as IAM counts it. */
export const lengthOf = (document: string): number => document.replace(/\s/g, '').length

/** Refuses a managed policy that is too long. */
export function requireManagedLength(document: string): void {
  const { lengthMax } = policyKinds.managed
  if (lengthOf(document) <= lengthMax) return
  throw new ApiError('LimitExceeded', `Cannot exceed quota for PolicySize: ${lengthMax}`)
}

/** Refuses the inline policies of a user, group or role that together are too long. */
export function requireInlineLength(
  documents: readonly string[],
  owner: { readonly kind: 'user' | 'group' | 'role'; readonly name: string },
): void {
  const { lengthMax } = policyKinds[`inline of a ${owner.kind}`]
  const length = documents.reduce((sum, document) => sum + lengthOf(document), 0)
  if (length <= lengthMax) return
  throw new ApiError(
    'LimitExceeded',
    `Maximum policy size of ${lengthMax} bytes exceeded for ${owner.kind} ${owner.name}`,
  )
}
