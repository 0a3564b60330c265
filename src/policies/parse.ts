/**
 * Reads a policy once, so that it can be asked often. What is no policy is refused in
 * IAM's own words, and in IAM's order where several things are wrong with it.
 */
import { ApiError } from '../lib/errors.ts'
import { compileResource } from './arn-pattern.ts'
import { compileCondition } from './conditions.ts'
import { type PolicyDocument, readDocument, type StatementDocument } from './document.ts'
import { compilePattern } from './pattern.ts'
import {
  type Policy,
  type PolicyKind,
  policyKinds,
  policyOf,
  type PolicyRules,
  type Version,
} from './policy.ts'
import { readPrincipals } from './principal-rules.ts'
import { faultOfResource, isLegacyResource } from './resource-rules.ts'
import { isPointInTime } from './scalars.ts'
import type { Statement } from './statement.ts'

/** Compiles the text of a policy. Throws what IAM answers where it is none. */
export function parsePolicy(text: string, kind: PolicyKind, name = ''): Policy {
  const rules = policyKinds[kind]
  const malformed = (message: string) => new ApiError(rules.code, message)
  const document = readDocument(text)
  if (!document) throw malformed('Syntax errors in policy.')
  const fault = faultOf(document, rules)
  if (fault !== undefined) throw malformed(fault)
  const version = (document.version ?? '2008-10-17') as Version
  const statements = document.statements.map((statement, index) =>
    compileStatement(statement, index, version === '2012-10-17', malformed),
  )
  return policyOf({ name, id: document.id, version, statements })
}

/** Trust policies give nothing but the ways into a role. */
const trustActions = /^sts:(AssumeRole(WithSAML|WithWebIdentity)?|SetSourceIdentity|TagSession)$/i

function faultOf({ version, statements }: PolicyDocument, rules: PolicyRules): string | undefined {
  if (rules.since2012 && version !== '2012-10-17') {
    return 'Policy document must be version 2012-10-17 or greater.'
  }
  if (!statements.every(isLegacy)) return 'The policy failed legacy parsing'
  const sids = statements.flatMap(({ sid }) => sid || [])
  if (new Set(sids).size < sids.length) {
    return 'Statement IDs (SID) in a single policy must be unique.'
  }
  const ofIdentity = rules.principals === 'prohibited'
  if (ofIdentity && sids.some((sid) => !/^[0-9A-Za-z]*$/.test(sid))) {
    return (
      'Statement IDs (SID) must be alpha-numeric. ' +
      'Check that your input satisfies the regular expression [0-9A-Za-z]*'
    )
  }
  if (ofIdentity && statements.some(({ principal }) => principal)) {
    return 'Policy document should not specify a principal.'
  }
  if (statements.some(({ action }) => !action || action.value.length === 0)) {
    return 'Policy statement must contain actions.'
  }
  const resources = statements.flatMap(({ resource }) => resource?.value.toSorted() ?? [])
  const actions = statements.flatMap(({ action }) => action?.value ?? [])
  return (
    firstOf(resources, faultOfResource) ??
    firstOf(actions, faultOfAction) ??
    faultOfKind(statements, actions, rules)
  )
}

/** What only some kinds of policy must have, or must not have. */
function faultOfKind(
  statements: readonly StatementDocument[],
  actions: readonly string[],
  rules: PolicyRules,
): string | undefined {
  if (rules.principals === 'required' && statements.some(({ principal }) => !principal)) {
    return 'Missing required field Principal'
  }
  if (rules.resources === 'prohibited') {
    if (statements.some(({ resource }) => resource)) return 'Has prohibited field Resource'
    if (!actions.every((action) => trustActions.test(action))) {
      return 'AssumeRole policy may only specify STS AssumeRole actions.'
    }
  }
  const lacks = statements.some(({ resource }) => !resource || resource.value.length === 0)
  return rules.resources === 'required' && lacks
    ? 'Policy statement must contain resources.'
    : undefined
}

function isLegacy({ effect, resource, conditions }: StatementDocument): boolean {
  const dates = conditions.filter(({ operator }) => /^(For(All|Any)Values?:)?Date/i.test(operator))
  const resources = resource?.value ?? []
  return (
    (effect === 'Allow' || effect === 'Deny') &&
    dates.every(({ values }) => values.every(isPointInTime)) &&
    (resources.some((one) => faultOfResource(one) !== undefined) ||
      resources.every(isLegacyResource))
  )
}

function faultOfAction(action: string): string | undefined {
  const [vendor = '', ...rest] = action.split(':')
  if (action === '*') return undefined
  if (rest.length === 0) {
    return 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.'
  }
  if (rest.length > 1) return 'Actions/Condition can contain only one colon.'
  if (vendor !== '*' && /[^a-zA-Z0-9\-.]/.test(vendor)) return `Vendor ${vendor} is not valid`
  return undefined
}

function firstOf(
  values: readonly string[],
  faultOfOne: (value: string) => string | undefined,
): string | undefined {
  for (const value of values) {
    const fault = faultOfOne(value)
    if (fault !== undefined) return fault
  }
  return undefined
}

function compileStatement(
  statement: StatementDocument,
  index: number,
  variables: boolean,
  malformed: (message: string) => ApiError,
): Statement {
  const { effect, principal, action, resource, conditions } = statement
  return {
    document: statement,
    index,
    effect: effect === 'Deny' ? 'Deny' : 'Allow',
    principals: principal && {
      isNegated: principal.isNegated,
      patterns: readPrincipals(principal.value, malformed),
    },
    actions: {
      isNegated: action?.isNegated ?? false,
      patterns: (action?.value ?? []).map((one) =>
        compilePattern(one.toLowerCase(), { wildcards: true, variables: false }),
      ),
    },
    resources: resource && {
      isNegated: resource.isNegated,
      patterns: resource.value.map((one) => compileResource(one, variables)),
    },
    conditions: conditions.flatMap(
      ({ operator, key, values }) => compileCondition(operator, key, values, variables) ?? [],
    ),
  }
}
