/**
 * From a body of JSON to the input of an action. Whatever comes in, what goes
 * out has only members of the schema and values of their types, or it is an
 * `ApiError`. What the schema does not know is left out, as AWS does: newer
 * clients send more.
 */
import { ApiError } from '../lib/errors.ts'
import { parseJson } from '../lib/json.ts'
import type { Input } from './decode.ts'
import type { Model, ScalarKind, Shape, Structure } from './model.ts'

/** A list or a map with more than these is refused before it is read. */
const itemsMax = 1000

/** Structures that hold themselves may be no deeper in each other than this. */
const depthMax = 50

/** Decodes the members of `action` that are in the body. */
export function decodeBody(model: Model, action: string, body: Uint8Array): Input {
  const structure = model.input(action)
  const value = body.length === 0 ? {} : parse(body)
  if (!isRecord(value)) throw mismatch('The body', 'an object')
  if (!structure) return {}
  return decodeMembers(model, structure, value, '', 0)
}

function parse(body: Uint8Array): unknown {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    throw new ApiError('SerializationException', 'The body of the request is not JSON.')
  }
}

type JsonRecord = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function decodeMembers(
  model: Model,
  structure: Structure,
  values: JsonRecord,
  path: string,
  depth: number,
): Input {
  if (depth > depthMax) throw new ApiError('SerializationException', 'The body is too deep.')
  const input: Input = {}
  for (const { name, location, shape } of structure.members) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined || value === null || location !== 'body') continue
    input[name] = decodeShape(model, shape, value, path + name, depth)
  }
  return input
}

function decodeShape(
  model: Model,
  shape: Shape,
  value: unknown,
  path: string,
  depth: number,
): unknown {
  if (shape.kind === 'list') {
    if (!Array.isArray(value)) throw mismatch(path, 'a list')
    checkCount(value.length, path)
    return value
      .filter((item) => item !== null)
      .map((item: unknown) => decodeShape(model, shape.item, item, path, depth))
  }
  if (shape.kind !== 'structure' && shape.kind !== 'map')
    return decodeScalar(shape.kind, value) ?? refuse(path, shape.kind)
  if (!isRecord(value)) throw mismatch(path, 'an object')
  if (shape.kind === 'structure')
    return decodeMembers(model, model.structure(shape.name), value, `${path}.`, depth + 1)
  const entries = Object.entries(value).filter(([, item]) => item !== null)
  checkCount(entries.length, path)
  return Object.fromEntries(
    entries.map(([key, item]) => [key, decodeShape(model, shape.value, item, path, depth)]),
  )
}

/** The value in its type, or nothing where it is of another. */
function decodeScalar(kind: ScalarKind, value: unknown): unknown {
  switch (kind) {
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'integer':
      return Number.isSafeInteger(value) ? Number(value) + 0 : undefined
    case 'decimal':
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined
    case 'timestamp': {
      // Seconds since 1970, with a fraction.
      const date = typeof value === 'number' ? new Date(Math.round(value * 1000)) : undefined
      return date && !Number.isNaN(date.getTime()) ? date : undefined
    }
    case 'blob':
      return typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value)
        ? new Uint8Array(Buffer.from(value, 'base64'))
        : undefined
  }
}

function checkCount(count: number, path: string): void {
  if (count > itemsMax) {
    throw new ApiError('SerializationException', `${path} has more than ${itemsMax} items.`)
  }
}

const refuse = (path: string, kind: ScalarKind): never => {
  throw mismatch(path, `of the type ${kind}`)
}

const mismatch = (path: string, what: string): ApiError =>
  new ApiError('SerializationException', `${path} is not ${what}.`)

/** Refuses an input that lacks what it has to have: all that is missing is named at once. */
export function checkNothingMissing(model: Model, action: string, input: Input): void {
  const structure = model.input(action)
  const missing = structure ? [...missingIn(model, structure, input, '')] : []
  if (missing.length === 0) return
  const errors = missing.map(
    (path) => `Value null at '${path}' failed to satisfy constraint: Member must not be null`,
  )
  const count = `${missing.length} validation error${missing.length > 1 ? 's' : ''}`
  throw new ApiError('ValidationException', `${count} detected: ${errors.join('; ')}`)
}

/** `filters.1.member.key`, as AWS names what it validates. */
function* missingIn(
  model: Model,
  structure: Structure,
  values: JsonRecord,
  prefix: string,
): Iterable<string> {
  for (const { name, shape, isRequired } of structure.members) {
    const path = prefix + name.charAt(0).toLowerCase() + name.slice(1)
    const value = values[name]
    if (value !== undefined) yield* missingBelow(model, shape, value, path)
    else if (isRequired) yield path
  }
}

function* missingBelow(model: Model, shape: Shape, value: unknown, path: string): Iterable<string> {
  if (shape.kind === 'list' && Array.isArray(value)) {
    for (const [index, item] of value.entries())
      yield* missingBelow(model, shape.item, item, `${path}.${index + 1}.member`)
  } else if (shape.kind === 'map' && isRecord(value)) {
    for (const [key, item] of Object.entries(value))
      yield* missingBelow(model, shape.value, item, `${path}.${key}`)
  } else if (shape.kind === 'structure' && isRecord(value)) {
    yield* missingIn(model, model.structure(shape.name), value, `${path}.`)
  }
}
