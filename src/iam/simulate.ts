/**
 * What policies would say of actions on resources, by the very function that judges calls.
 * Nothing is known of a simulated call but what is said of it: keys that the policies ask for
 * and that nobody gave are told, as they may decide it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
 */
import type {
  ContextEntry,
  EvaluationResult,
  PolicyEvaluationDecisionType,
  PolicySourceType,
  Statement,
} from '@aws-sdk/client-iam'
import { ApiError, missingParameter } from '../lib/errors.ts'
import { type ContextEntries, contextOf } from '../policies/context.ts'
import { decide, type Decider, type Decision, type Policies } from '../policies/decide.ts'
import { parsePolicy } from '../policies/parse.ts'
import type { Policy } from '../policies/policy.ts'
import type { Principal } from '../policies/principals.ts'

export interface SimulationInput {
  readonly ActionNames: readonly string[] | undefined
  readonly ResourceArns?: readonly string[] | undefined
  readonly ResourcePolicy?: string | undefined
  readonly ResourceOwner?: string | undefined
  readonly ContextEntries?: readonly ContextEntry[] | undefined
  readonly ResourceHandlingOption?: string | undefined
}

export interface Simulated {
  readonly principal: Principal & { readonly accountId: string }
  readonly policies: Policies
  /** What is known of the principal; what the call says wins. */
  readonly keys: ContextEntries
  /** What an inline policy belongs to. */
  readonly source: 'user' | 'group' | 'role'
}

const decisions = {
  allowed: 'allowed',
  denied: 'explicitDeny',
  'not allowed': 'implicitDeny',
} as const satisfies Record<Decision['outcome'], PolicyEvaluationDecisionType>

/** One result for each action on each resource. */
export function simulate(input: SimulationInput, simulated: Simulated): EvaluationResult[] {
  const { ActionNames = [], ResourceArns = ['*'] } = input
  if (ActionNames.length === 0) throw missingParameter('ActionNames')
  for (const action of ActionNames) {
    if (/^[\w-]+:[\w*?]+$/.test(action)) continue
    throw new ApiError('InvalidInput', `The action ${action} is not valid.`)
  }
  const given = contextOf(simulated.keys, entriesOf(input.ContextEntries))
  const policies = withResourcePolicy(input, simulated)
  return ActionNames.flatMap((action) =>
    ResourceArns.map((resource): EvaluationResult => {
      const question = {
        principal: simulated.principal,
        action,
        resource,
        resourceAccountId: ownerOf(input, resource) ?? simulated.principal.accountId,
        context: given,
      }
      const decision = decide(question, policies)
      const by = decision.outcome === 'not allowed' ? [] : [decision.by].flat()
      const { boundary, serviceControl } = policies
      return {
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: decisions[decision.outcome],
        MatchedStatements: by.map((decider) => viewDecider(decider, simulated)),
        MissingContextValues: missingOf(policies, action, given),
        ...(serviceControl && {
          OrganizationsDecisionDetail: {
            AllowedByOrganizations: isWithin(decide(question, { ...everything, serviceControl })),
          },
        }),
        ...(boundary && {
          PermissionsBoundaryDecisionDetail: {
            AllowedByPermissionsBoundary: isWithin(decide(question, { ...everything, boundary })),
          },
        }),
      }
    }),
  )
}

const isWithin = ({ outcome }: Decision): boolean => outcome === 'allowed'

const everything: Policies = {
  identity: [
    parsePolicy(
      JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Action: '*', Resource: '*' },
      }),
      'managed',
    ),
  ],
}

/** The keys that statements about an action ask for, in their own letters. */
function missingOf(policies: Policies, action: string, given: ReadonlyMap<string, unknown>) {
  const missing = new Set<string>()
  for (const { key } of conditionsOf(allOf(policies), action)) {
    if (!given.has(key.toLowerCase())) missing.add(key)
  }
  return [...missing]
}

const conditionsOf = (policies: readonly Policy[], action?: string) =>
  policies
    .flatMap((policy) => (action ? policy.about(action.toLowerCase()) : policy.statements))
    .flatMap(({ conditions }) => conditions)

/** Every key that policies ask for. */
export const contextKeysOf = (policies: readonly Policy[]): string[] => [
  ...new Set(conditionsOf(policies).map(({ key }) => key)),
]

export function allOf(policies: Policies): readonly Policy[] {
  const { identity, boundary, session = [], serviceControl = [], resource } = policies
  const single = [boundary, resource?.policy].filter((policy) => policy !== undefined)
  return [...identity, ...session, ...serviceControl.flat(), ...single]
}

function entriesOf(entries: readonly ContextEntry[] = []): ContextEntries {
  return Object.fromEntries(
    entries.map(({ ContextKeyName, ContextKeyValues = [], ContextKeyType }) => {
      if (ContextKeyName === undefined) throw missingParameter('ContextKeyName')
      const isList = ContextKeyType?.endsWith('List') ?? ContextKeyValues.length > 1
      return [ContextKeyName, isList ? ContextKeyValues : ContextKeyValues[0]]
    }),
  )
}

function withResourcePolicy(
  { ResourcePolicy }: SimulationInput,
  { policies }: Simulated,
): Policies {
  if (ResourcePolicy === undefined) return policies
  const policy = parsePolicy(ResourcePolicy, 'key', 'of the resource')
  return { ...policies, resource: { policy, rulesAlone: false } }
}

function ownerOf({ ResourceOwner }: SimulationInput, resource: string): string | undefined {
  const owner = /^arn:aws:iam::(\d{12}):root$|^(\d{12})$/.exec(ResourceOwner ?? '')
  return owner?.[1] ?? owner?.[2] ?? /^arn:aws[\w-]*:[^:]*:[^:]*:(\d{12}):/.exec(resource)?.[1]
}

function viewDecider({ layer, policy }: Decider, { source }: Simulated): Statement {
  const type = (): PolicySourceType => {
    if (layer === 'resource') return 'resource'
    if (layer === 'service control' || layer === 'session') return 'none'
    if (policy.startsWith('arn:aws:iam::aws:')) return 'aws-managed'
    return policy.startsWith('arn:') ? 'user-managed' : source
  }
  return { SourcePolicyId: policy, SourcePolicyType: type() }
}
