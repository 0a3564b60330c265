/**
 * From the output of an action to its XML. Each structure is compiled into an
 * encoder when it is first written, so that long lists cost one loop a member.
 */
import { AssertionError } from 'node:assert/strict'
import type { Model, ScalarKind, Shape, Structure } from './model.ts'
import { escapeXml } from './xml.ts'

/** Makes the content of an element of a value that is there. */
type Encode = (value: unknown) => string

export type EncodeOutput = (action: string, requestId: string, output: unknown) => string

const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

/**
 * So many items of a list are joined into one string before the next are made:
 * what was concatenated stays in many small pieces until then, and a long list
 * of those keeps the garbage collector busier than the encoder.
 */
const itemsAtOnce = 64

/** The errors that are not the caller's fault. */
const receiverCodes: ReadonlySet<string> = new Set([
  'InternalError',
  'ServiceFailure',
  'ServiceUnavailable',
  'Unavailable',
])

/** Returns the function that writes the answers of a service. */
export function outputEncoder(model: Model): EncodeOutput {
  const compiled = new Map<string, Encode>()
  return (action, requestId, output) => {
    const structure = model.output(action)
    const body = structure && encoderOf(model, structure.name, compiled)(output)
    const id = escapeXml(requestId)
    const root = `${action}Response`
    const content =
      model.protocol === 'ec2Query'
        ? // An action that answers nothing says that it is done.
          `<requestId>${id}</requestId>${body ?? '<return>true</return>'}`
        : (body === undefined ? '' : `<${action}Result>${body}</${action}Result>`) +
          `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata>`
    return `${declaration}<${root} xmlns="${model.namespace}">${content}</${root}>`
  }
}

/** The answer to a call that was refused, or that failed. */
export function encodeError(
  model: Model,
  requestId: string,
  code: string,
  message: string,
): string {
  const error = `<Code>${escapeXml(code)}</Code><Message>${escapeXml(message)}</Message>`
  const id = escapeXml(requestId)
  if (model.protocol === 'ec2Query') {
    return (
      `${declaration}<Response><Errors><Error>${error}</Error></Errors>` +
      `<RequestID>${id}</RequestID></Response>`
    )
  }
  const type = receiverCodes.has(code) ? 'Receiver' : 'Sender'
  return (
    `${declaration}<ErrorResponse xmlns="${model.namespace}">` +
    `<Error><Type>${type}</Type>${error}</Error><RequestId>${id}</RequestId></ErrorResponse>`
  )
}

function encoderOf(model: Model, name: string, compiled: Map<string, Encode>): Encode {
  const known = compiled.get(name)
  if (known) return known
  const encode = compile(model, model.structure(name), compiled)
  compiled.set(name, encode)
  return encode
}

function compile(model: Model, structure: Structure, compiled: Map<string, Encode>): Encode {
  const members = structure.members.map(({ name, replyName, shape }) => ({
    name,
    encode: element(
      replyName,
      shape,
      contentEncoder(model, shape, `${structure.name}.${name}`, compiled),
    ),
  }))
  return (value) => {
    if (typeof value !== 'object' || value === null) throw mismatch('structure', structure.name)
    const values = value as Readonly<Record<string, unknown>>
    let text = ''
    for (const { name, encode } of members) {
      const member = values[name]
      if (member !== undefined && member !== null) text += encode(member)
    }
    return text
  }
}

/** The element around a content. AWS writes a list without items as an element without content. */
function element(name: string, shape: Shape, encode: Encode): Encode {
  const open = `<${name}>`
  const close = `</${name}>`
  if (shape.kind !== 'list') return (value) => open + encode(value) + close
  const empty = `<${name}/>`
  return (value) => {
    const content = encode(value)
    return content === '' ? empty : open + content + close
  }
}

function contentEncoder(
  model: Model,
  shape: Shape,
  path: string,
  compiled: Map<string, Encode>,
): Encode {
  if (shape.kind === 'structure') {
    // Looked up when first used: a structure may hold itself.
    let encode: Encode | undefined
    return (value) => (encode ??= encoderOf(model, shape.name, compiled))(value)
  }
  if (shape.kind === 'map') return mapEncoder(contentEncoder(model, shape.value, path, compiled))
  if (shape.kind !== 'list') return scalarEncoder(shape.kind, path)
  const item = contentEncoder(model, shape.item, path, compiled)
  const encodeItem = element(shape.itemName, shape.item, item)
  return (value) => {
    if (!Array.isArray(value)) throw mismatch('list', path)
    let text = ''
    for (let start = 0; start < value.length; start += itemsAtOnce) {
      const parts: string[] = []
      for (const each of value.slice(start, start + itemsAtOnce))
        if (each !== undefined && each !== null) parts.push(encodeItem(each))
      text += parts.join('')
    }
    return text
  }
}

/** `<entry><key>…</key><value>…</value></entry>` for each. */
function mapEncoder(encode: Encode): Encode {
  return (value) =>
    Object.entries(value as Readonly<Record<string, unknown>>)
      .map(([key, each]) => `<key>${escapeXml(key)}</key><value>${encode(each)}</value>`)
      .map((entry) => `<entry>${entry}</entry>`)
      .join('')
}

function scalarEncoder(kind: ScalarKind, path: string): Encode {
  switch (kind) {
    case 'string':
      return (value) => {
        if (typeof value !== 'string') throw mismatch(kind, path)
        return escapeXml(value)
      }
    case 'boolean':
      return (value) => {
        if (typeof value !== 'boolean') throw mismatch(kind, path)
        return value ? 'true' : 'false'
      }
    case 'integer':
    case 'decimal':
      return (value) => {
        if (typeof value !== 'number' || !Number.isFinite(value)) throw mismatch(kind, path)
        return String(value)
      }
    case 'timestamp':
      return (value) => {
        if (!(value instanceof Date)) throw mismatch(kind, path)
        return value.toISOString()
      }
    case 'blob':
      return (value) => {
        if (!(value instanceof Uint8Array)) throw mismatch(kind, path)
        return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
      }
  }
}

/** What an operation answers does not fit its schema: a bug. `assert` would cost more than the rest. */
export function mismatch(kind: string, path: string): AssertionError {
  return new AssertionError({ message: `not a ${kind}: ${path}` })
}
