/**
 * The calls that try policies out: of a user, group or role as they are, with more besides,
 * or of documents alone; and those that tell which condition keys policies ask for.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 */
import type {
  GetContextKeysForCustomPolicyRequest,
  GetContextKeysForPolicyResponse,
  GetContextKeysForPrincipalPolicyRequest,
  SimulateCustomPolicyRequest,
  SimulatePolicyResponse,
  SimulatePrincipalPolicyRequest,
} from '@aws-sdk/client-iam'
import type { Database } from '../db/database.ts'
import { ApiError, unsupportedParameter } from '../lib/errors.ts'
import { parsePolicy } from '../policies/parse.ts'
import type { Policy } from '../policies/policy.ts'
import { type CallContext, type Operation, readOperation } from '../wire/operation.ts'
import { type Caller, requireAllowed } from './evaluate.ts'
import { findCaller, parsePrincipal } from './find-caller.ts'
import { pageOf } from './list-page.ts'
import { allOf, contextKeysOf, simulate, type Simulated } from './simulate.ts'

type Call = CallContext & { readonly db: Database }

const declared = { service: 'iam', demands: () => [] } as const

const parsed = (documents: readonly string[] = []): readonly Policy[] =>
  documents.map((document, index) =>
    parsePolicy(document, 'inline of a role', `PolicyInputList.${index + 1}`),
  )

/** Somebody of the caller's account, or whose simulation the caller's policies allow. */
async function findSimulated(
  call: Call,
  action: string,
  arn = '',
): Promise<{ readonly caller: Caller; readonly source: Simulated['source'] }> {
  requireAllowed(call.caller, { action: `iam:${action}`, resource: arn })
  const named = parsePrincipal(arn)
  if (!named || named.kind === 'root') {
    throw new ApiError(
      'InvalidInput',
      `Invalid Entity Arn: ${arn} does not clearly define entity type and name.`,
    )
  }
  const isOwn = named.accountId === call.caller.accountId
  const caller = isOwn ? await findCaller(call.db, named, call) : undefined
  if (!caller) throw new ApiError('NoSuchEntity', `The entity ${arn} cannot be found.`)
  return { caller, source: named.kind }
}

/** Several boundaries are one where each has to allow. */
function boundaryOf(documents: readonly string[] | undefined): { readonly boundary?: Policy } {
  const [boundary, another] = parsed(documents)
  if (another) throw new ApiError('InvalidInput', 'There can be one permissions boundary policy.')
  return boundary ? { boundary } : {}
}

function answer(
  input: SimulateCustomPolicyRequest | SimulatePrincipalPolicyRequest,
  simulated: Simulated,
): SimulatePolicyResponse {
  if (input.ResourceHandlingOption) throw unsupportedParameter('ResourceHandlingOption')
  const results = simulate(input, simulated).map((result, index) => ({ result, index }))
  const { items, ...rest } = pageOf(results, input, ({ index }) => String(index).padStart(9, '0'))
  return { EvaluationResults: items.map(({ result }) => result), ...rest }
}

export const simulations: readonly Operation[] = [
  readOperation<SimulatePrincipalPolicyRequest, SimulatePolicyResponse>({
    ...declared,
    action: 'SimulatePrincipalPolicy',
    async run(call) {
      const { input } = call
      if (input.CallerArn) throw unsupportedParameter('CallerArn')
      if (input.PolicyExclusionList) throw unsupportedParameter('PolicyExclusionList')
      const found = await findSimulated(call, 'SimulatePrincipalPolicy', input.PolicySourceArn)
      const { caller, source } = found
      const { policies, keys, accountId } = caller
      const identity = [...policies.identity, ...parsed(input.PolicyInputList)]
      const boundary = boundaryOf(input.PermissionsBoundaryPolicyInputList)
      return answer(input, {
        principal: { ...caller.principal, accountId } as Simulated['principal'],
        policies: { ...policies, identity, ...boundary },
        keys,
        source,
      })
    },
  }),
  readOperation<SimulateCustomPolicyRequest, SimulatePolicyResponse>({
    ...declared,
    action: 'SimulateCustomPolicy',
    async run({ input, caller }) {
      requireAllowed(caller, { action: 'iam:SimulateCustomPolicy', resource: '*' })
      if (input.OrderedOrganizationPolicyInputList) {
        throw unsupportedParameter('OrderedOrganizationPolicyInputList')
      }
      const arn = input.CallerArn ?? caller.arn
      const { accountId } = parsePrincipal(arn) ?? caller
      return answer(input, {
        principal: { kind: 'user', accountId, arn },
        policies: {
          identity: parsed(input.PolicyInputList),
          ...boundaryOf(input.PermissionsBoundaryPolicyInputList),
        },
        keys: {},
        source: 'user',
      })
    },
  }),
  readOperation<GetContextKeysForPrincipalPolicyRequest, GetContextKeysForPolicyResponse>({
    ...declared,
    action: 'GetContextKeysForPrincipalPolicy',
    async run(call) {
      const { input } = call
      const arn = input.PolicySourceArn
      const { caller } = await findSimulated(call, 'GetContextKeysForPrincipalPolicy', arn)
      const more = parsed(input.PolicyInputList)
      return { ContextKeyNames: contextKeysOf([...allOf(caller.policies), ...more]) }
    },
  }),
  readOperation<GetContextKeysForCustomPolicyRequest, GetContextKeysForPolicyResponse>({
    ...declared,
    action: 'GetContextKeysForCustomPolicy',
    async run({ input, caller }) {
      requireAllowed(caller, { action: 'iam:GetContextKeysForCustomPolicy', resource: '*' })
      return { ContextKeyNames: contextKeysOf(parsed(input.PolicyInputList)) }
    },
  }),
]
