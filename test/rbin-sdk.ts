/**
 * A client of the Recycle Bin made of the SDK's own parts: its restJson1, its
 * signer, its retries. Only the shapes are ours, because the newest package of
 * that service that is to be had is older than the SDK's schemas.
 */
import { AwsRestJsonProtocol } from '@aws-sdk/core/protocols'
import { SSMClient, type SSMClientConfig } from '@aws-sdk/client-ssm'
import { makeBuilder } from '@smithy/core/client'
import { getEndpointPlugin } from '@smithy/core/endpoints'
import { type Member, Model, type Shape } from '../src/wire/model.ts'
import schemas from '../src/wire/schemas/rbin.json' with { type: 'json' }

const namespace = 'com.amazonaws.rbin'
const model = new Model(schemas)

/** The numbers by which the SDK's schemas call the simple types. */
const scalars = { string: 0, integer: 1, decimal: 1, boolean: 2, timestamp: 4, blob: 21 } as const

const structures = new Map<string, unknown>()

function schemaOf(shape: Shape): unknown {
  if (shape.kind === 'structure') return () => structureSchema(shape.name)
  if (shape.kind === 'list') return [1, namespace, 'List', 0, schemaOf(shape.item)]
  if (shape.kind === 'map') return [2, namespace, 'Map', 0, 0, schemaOf(shape.value)]
  return scalars[shape.kind]
}

function memberSchema({ shape, location, requestName }: Member): unknown {
  if (location === 'label') return [schemaOf(shape), { httpLabel: 1 }]
  if (location === 'query') return [schemaOf(shape), { httpQuery: requestName }]
  if (location === 'header') return [schemaOf(shape), { httpHeader: requestName }]
  return schemaOf(shape)
}

function structureSchema(name: string): unknown {
  const known = structures.get(name)
  if (known) return known
  // Required members come first.
  const members = model
    .structure(name)
    .members.toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired))
  const required = members.filter(({ isRequired }) => isRequired).length
  const names = members.map((member) => member.name)
  const made = [3, namespace, name, 0, names, members.map(memberSchema), required]
  structures.set(name, made)
  return made
}

interface SdkCommand {
  new (input: object): object
}

/** What the address of a request depends on. */
const parameters = {
  Endpoint: { type: 'builtInParams', name: 'endpoint' },
  Region: { type: 'builtInParams', name: 'region' },
  UseDualStack: { type: 'builtInParams', name: 'useDualstackEndpoint' },
  UseFIPS: { type: 'builtInParams', name: 'useFipsEndpoint' },
} as const

const command = makeBuilder(parameters, 'AmazonRecycleBin', 'RbinClient', getEndpointPlugin)

function commandOf(action: string): SdkCommand {
  const route = model.routes().find((each) => each.action === action)
  const input = model.input(action)
  const output = model.output(action)
  const labels = new Map(input?.members.map(({ requestName, name }) => [requestName, name]))
  const path = route?.path.replace(/\{(\w+)\}/g, (_, name: string) => `{${labels.get(name)}}`)
  const schema = [
    9,
    namespace,
    action,
    { http: [route?.method, path, route?.status] },
    input ? () => structureSchema(input.name) : 'unit',
    output ? () => structureSchema(output.name) : 'unit',
  ]
  return command({}, () => [], action, schema as never) as unknown as SdkCommand
}

/** `CreateRuleCommand` and all the others, as the SDK would export them. */
export const rbinCommands: Readonly<Record<string, SdkCommand>> = Object.fromEntries(
  model.actions.map((action) => [`${action}Command`, commandOf(action)]),
)

export class RbinClient extends SSMClient {
  constructor(config: SSMClientConfig) {
    const own = {
      protocol: AwsRestJsonProtocol,
      protocolSettings: { defaultNamespace: namespace, errorTypeRegistries: [] },
      signingName: 'rbin',
    }
    super({ ...config, ...own })
  }
}
