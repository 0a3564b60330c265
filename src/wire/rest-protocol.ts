/**
 * restJson1: method and path say which action is meant; parts of the path, the
 * query and the headers are input as the body is, which is JSON.
 * https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
 */
import { ApiError } from '../lib/errors.ts'
import type { Input } from './decode.ts'
import { checkNothingMissing, decodeBody } from './json-decode.ts'
import { encodeOutput } from './json-encode.ts'
import { inJsonWords } from './json-errors.ts'
import type { Member, Model, Route } from './model.ts'
import { decodeFormText, queryOf } from './params.ts'
import type { HttpRequest } from './request.ts'
import { decodeScalar } from './scalars.ts'
import type { Protocol, Reply } from './service.ts'

/** A path is matched part by part, as it was on the wire: a part may hold an encoded slash. */
interface Pattern extends Route {
  readonly parts: readonly string[]
}

export function restProtocol(model: Model): Protocol {
  const patterns = model.routes().map((route) => ({ ...route, parts: partsOf(route.path) }))
  const statuses = new Map(patterns.map(({ action, status }) => [action, status]))
  return {
    read(request) {
      const parts = partsOf(request.target.split('?', 1)[0] ?? '')
      const pattern = patterns.find(
        ({ method, parts: wanted }) => method === request.method && isMatch(wanted, parts),
      )
      if (!pattern) {
        throw new ApiError('UnknownOperationException', 'The operation is not known.')
      }
      const { action } = pattern
      const decode = () => {
        const body = hasPayload(model, action) ? {} : decodeBody(model, action, request.body)
        const input = { ...body, ...decodePlaced(model, pattern, parts, request) }
        checkNothingMissing(model, action, input)
        return input
      }
      return { action, decode }
    },
    encode: (action, _requestId, output) =>
      encodePlaced(model, action, output) ?? encodeOutput(model, action, output),
    respond(action, requestId, reply) {
      const { headers, body } = typeof reply === 'string' ? { headers: {}, body: reply } : reply
      return {
        status: statuses.get(action) ?? 200,
        headers: { ...headersOf(requestId), ...headers },
        body,
      }
    },
    refuse(requestId, error) {
      const { code, message, reason } = inJsonWords(model, error)
      return {
        status: statusesOfCodes[code] ?? error.status,
        headers: { ...headersOf(requestId), 'x-amzn-errortype': code },
        body: JSON.stringify({ Message: message, Reason: reason }),
      }
    },
  }
}

/** Where it is another than that of the same error in EC2. */
const statusesOfCodes: Readonly<Record<string, number>> = {
  ConflictException: 409,
  ServiceQuotaExceededException: 402,
  UnknownOperationException: 404,
}

const hasPayload = (model: Model, action: string): boolean =>
  model.input(action)?.members.some(({ location }) => location === 'payload') ?? false

const partsOf = (path: string): readonly string[] => path.split('/').slice(1)

const isLabel = (part: string): boolean => part.startsWith('{')

function isMatch(wanted: readonly string[], parts: readonly string[]): boolean {
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => (isLabel(part) ? parts[index] !== '' : part === parts[index]))
  )
}

/** The members that are in the path, in the query, in a header, or are the body. */
function decodePlaced(
  model: Model,
  pattern: Pattern,
  parts: readonly string[],
  request: HttpRequest,
): Input {
  const input: Input = {}
  for (const member of model.input(pattern.action)?.members ?? []) {
    if (member.location === 'payload') input[member.name] = request.body
    const texts = textsOf(member, pattern, parts, request)
    const [text] = texts
    if (text === undefined) continue
    const { shape, name } = member
    input[name] =
      shape.kind === 'list'
        ? texts.map((each) => scalarOf(shape.item, each, name))
        : scalarOf(shape, text, name)
  }
  return input
}

function textsOf(
  { location, requestName }: Member,
  pattern: Pattern,
  parts: readonly string[],
  { target, headers }: HttpRequest,
): readonly string[] {
  switch (location) {
    case 'body':
    case 'payload':
      return []
    case 'label': {
      const part = parts[pattern.parts.indexOf(`{${requestName}}`)] ?? ''
      // A plus is a plus in a path.
      return [decodeText(part.replaceAll('+', '%2B'))]
    }
    case 'query':
      return queryOf(target)
        .split('&')
        .map((pair) => pair.split('=', 2).map(decodeText))
        .filter(([name]) => name === requestName)
        .map(([, value = '']) => value)
    case 'header': {
      const value = headers[requestName.toLowerCase()]
      return value === undefined ? [] : [value]
    }
  }
}

function decodeText(text: string): string {
  const decoded = decodeFormText(text)
  if (decoded !== undefined) return decoded
  throw new ApiError('SerializationException', 'The address of the request is malformed.')
}

function scalarOf(shape: Member['shape'], text: string, path: string): unknown {
  if (shape.kind === 'list' || shape.kind === 'map' || shape.kind === 'structure') return undefined
  return decodeScalar(shape.kind, text, path)
}

/** An answer of which something is in headers or is the body; nothing where all of it is JSON. */
function encodePlaced(model: Model, action: string, output: unknown): Reply | undefined {
  const members = model.output(action)?.members ?? []
  if (members.every(({ location }) => location === 'body')) return undefined
  const values = output as Readonly<Record<string, unknown>>
  const headers: Record<string, string> = {}
  let payload: Uint8Array | undefined
  for (const { name, location, requestName } of members) {
    const value = values[name]
    const isText = typeof value === 'string' || typeof value === 'number'
    if (location === 'header' && isText) headers[requestName] = String(value)
    if (location === 'payload' && value instanceof Uint8Array) payload = value
  }
  if (!payload) return { headers, body: encodeOutput(model, action, output) }
  return { headers: { ...headers, 'content-type': 'application/octet-stream' }, body: payload }
}

const headersOf = (requestId: string) => ({
  'content-type': 'application/json',
  'x-amzn-requestid': requestId,
  'cache-control': 'no-cache, no-store',
})
