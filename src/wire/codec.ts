/**
 * A service of AWS at the wire: which actions it has, what they are given and
 * what they answer, as the SDK's schemas say. It knows nothing of what they do.
 */
import { ApiError, missingParameter } from '../lib/errors.ts'
import { decodeInput, type Input } from './decode.ts'
import { encodeError, outputEncoder } from './encode.ts'
import { Model, type SchemaFile } from './model.ts'
import type { Params } from './params.ts'
import { redactInput } from './redact.ts'
import ec2 from './schemas/ec2.json' with { type: 'json' }
import sts from './schemas/sts.json' with { type: 'json' }

const files = { ec2, sts } as const satisfies Record<string, SchemaFile>

export type ServiceName = keyof typeof files

export interface Service {
  readonly name: ServiceName
  readonly version: string
  /** Every action that the service of AWS has, whether it is built or not. */
  readonly actions: readonly string[]
  has(action: string): boolean
  /** The action that a request asks for. Refuses an unknown one, and another version. */
  actionOf(params: Params): string
  /** The input of `action`, named as the SDK names it. Refuses what does not fit its shape. */
  decode(action: string, params: Params): Input
  /** The XML that answers `action`. Members that are undefined are left out. */
  encode(action: string, requestId: string, output: unknown): string
  encodeError(requestId: string, code: string, message: string): string
  /** The member of the input that makes a repeated call the same call, such as `ClientToken`. */
  idempotencyMember(action: string): string | undefined
  /** A copy of an input without what is secret in it. */
  redact(action: string, input: Input): Input
}

/** Opens the schemas of a service. It takes some milliseconds; one for each process is enough. */
export function loadService(name: ServiceName): Service {
  const model = new Model(files[name])
  const encode = outputEncoder(model)
  return {
    name,
    version: model.version,
    actions: model.actions,
    has: (action) => model.has(action),
    actionOf: (params) => actionOf(model, params),
    decode: (action, params) => decodeInput(model, action, params),
    encode,
    encodeError: (requestId, code, message) => encodeError(model, requestId, code, message),
    idempotencyMember: (action) =>
      model.input(action)?.members.find(({ isIdempotencyToken }) => isIdempotencyToken)?.name,
    redact: (action, input) => redactInput(model, action, input),
  }
}

function actionOf(model: Model, params: Params): string {
  const action = params.get('Action')
  if (!action) {
    throw new ApiError('MissingAction', 'The request must contain the parameter Action')
  }
  const version = params.get('Version')
  if (!version) throw missingParameter('Version')
  if (version !== model.version) {
    throw new ApiError(
      'NoSuchVersion',
      `The requested version (${version}) of service ${model.service} does not exist`,
    )
  }
  if (!model.has(action)) {
    throw new ApiError('InvalidAction', `The action ${action} is not valid for this web service.`)
  }
  return action
}
