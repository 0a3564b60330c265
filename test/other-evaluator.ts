/**
 * An evaluator of IAM policies by others, `@cloud-copilot/iam-simulate`, to compare ours
 * with. Its door for the public asks whether actions and keys exist in AWS, and leaves out
 * policies of sessions and resources or throws; so this goes to the engine behind it.
 */
import { createRequire } from 'node:module'
import type { Principal } from '../src/policies/principals.ts'
import { type Json, ownAccount, type Request } from './random-policies.ts'

/** A request, and every policy that has a say. */
export interface Given {
  readonly request: Request
  readonly identity: readonly Json[]
  readonly boundary?: Json | undefined
  readonly session?: Json | undefined
  readonly control?: readonly (readonly Json[])[]
  readonly resource?: Json | undefined
}

type Loaded = Readonly<Record<string, unknown>>

interface Engine {
  authorize(request: Loaded): { readonly result: keyof typeof outcomes }
  readonly AwsRequestImpl: new (
    principal: unknown,
    resource: Loaded,
    action: string,
    context: unknown,
    hasNoResources: boolean,
  ) => unknown
  readonly RequestContextImpl: new (values: Loaded) => unknown
  readonly DiscoveryContextKeyConstraints: new (list: readonly unknown[]) => unknown
  loadPolicy(policy: Json, metadata: { readonly name: string }): unknown
}

const outcomes = {
  Allowed: 'allowed',
  ExplicitlyDenied: 'denied',
  ImplicitlyDenied: 'not allowed',
} as const

/** Loads the evaluator. */
export function loadOtherEvaluator(): (given: Given) => (typeof outcomes)[keyof typeof outcomes] {
  const inside = createRequire(import.meta.resolve('@cloud-copilot/iam-simulate'))
  const engine = Object.assign(
    {},
    ...[
      './core_engine/CoreSimulatorEngine.js',
      './request/request.js',
      './requestContext.js',
      './context_keys/discoveryContextKeyConstraints.js',
      '@cloud-copilot/iam-policy',
    ].map((name) => inside(name) as Loaded),
  ) as Engine
  const load = (policy: Json) => engine.loadPolicy(policy, { name: 'a policy' })

  return ({ request, identity, boundary, session, control = [], resource }) => {
    const { result } = engine.authorize({
      request: new engine.AwsRequestImpl(
        nameOf(request.principal),
        { resource: request.resource, accountId: ownAccount },
        request.action,
        new engine.RequestContextImpl(request.context),
        request.resource === '*',
      ),
      identityPolicies: identity.map(load),
      permissionBoundaries: boundary && [load(boundary)],
      sessionPolicy: session && load(session),
      serviceControlPolicies: control.map((level, index) => ({
        orgIdentifier: `ou-${index}`,
        policies: level.map(load),
      })),
      resourceControlPolicies: [],
      resourcePolicy: resource && load(resource),
      vpcEndpointPolicies: undefined,
      simulationParameters: {
        simulationMode: 'Strict',
        discoveryContextKeyConstraints: new engine.DiscoveryContextKeyConstraints([]),
      },
      serviceSettings: {},
    })
    return outcomes[result]
  }
}

function nameOf(principal: Principal): unknown {
  if (principal.kind === 'anonymous') return { type: 'Anonymous' }
  return principal.kind === 'service' ? principal.name : principal.arn
}
