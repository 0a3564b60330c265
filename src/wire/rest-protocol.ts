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
import type { Protocol } from './service.ts'

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
        const body = decodeBody(model, action, request.body)
        const input = { ...body, ...decodePlaced(model, pattern, parts, request) }
        checkNothingMissing(model, action, input)
        return input
      }
      return { action, decode }
    },
    encode: (action, _requestId, output) => encodeOutput(model, action, output),
    respond: (action, requestId, body) => ({
      status: statuses.get(action) ?? 200,
      headers: headersOf(requestId),
      body,
    }),
    refuse(requestId, error) {
      const { code, message, reason } = inJsonWords(model, error)
      return {
        status: code === 'UnknownOperationException' ? 404 : error.status,
        headers: { ...headersOf(requestId), 'x-amzn-errortype': code },
        body: JSON.stringify({ Message: message, Reason: reason }),
      }
    },
  }
}

const partsOf = (path: string): readonly string[] => path.split('/').slice(1)

const isLabel = (part: string): boolean => part.startsWith('{')

function isMatch(wanted: readonly string[], parts: readonly string[]): boolean {
  return (
    wanted.length === parts.length &&
    wanted.every((part, index) => (isLabel(part) ? parts[index] !== '' : part === parts[index]))
  )
}

/** The members that are in the path, in the query, or in a header. */
function decodePlaced(
  model: Model,
  pattern: Pattern,
  parts: readonly string[],
  request: HttpRequest,
): Input {
  const input: Input = {}
  for (const member of model.input(pattern.action)?.members ?? []) {
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

const headersOf = (requestId: string) => ({
  'content-type': 'application/json',
  'x-amzn-requestid': requestId,
  'cache-control': 'no-cache, no-store',
})
