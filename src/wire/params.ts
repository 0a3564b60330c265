/**
 * The flat parameters of one request: those of the query string and those of
 * the form in the body are the same to AWS. A name stands for one value only.
 */
import { ApiError } from '../lib/errors.ts'
import { hasNul } from '../lib/json.ts'
import type { HttpRequest } from './request.ts'

export type Params = ReadonlyMap<string, string>

const paramsMax = 10_000
const nameLengthMax = 512

/** Reads the parameters of a request, or refuses it for what no form may hold. */
export function parseParams(request: HttpRequest): Params {
  const params = new Map<string, string>()
  addForm(params, queryOf(request.target))
  if (request.method !== 'GET' && request.method !== 'HEAD') addForm(params, bodyText(request.body))
  return params
}

/** What follows the `?` of a target, as it was on the wire. */
export function queryOf(target: string): string {
  const at = target.indexOf('?')
  return at < 0 ? '' : target.slice(at + 1)
}

/** One name or value as it was before it was encoded; `undefined` where it cannot be, or has a NUL. */
export function decodeFormText(text: string): string | undefined {
  try {
    const decoded = /[%+]/.test(text) ? decodeURIComponent(text.replaceAll('+', ' ')) : text
    return hasNul(decoded) ? undefined : decoded
  } catch {
    return undefined
  }
}

function addForm(params: Map<string, string>, form: string): void {
  let start = 0
  while (start < form.length) {
    const ampersand = form.indexOf('&', start)
    const end = ampersand < 0 ? form.length : ampersand
    if (end > start) addPair(params, form.slice(start, end))
    start = end + 1
  }
}

function addPair(params: Map<string, string>, pair: string): void {
  const equals = pair.indexOf('=')
  const name = decodeFormText(equals < 0 ? pair : pair.slice(0, equals))
  const value = decodeFormText(equals < 0 ? '' : pair.slice(equals + 1))
  if (name === undefined || value === undefined) throw syntaxError()
  if (name.length > nameLengthMax)
    throw malformed(`A parameter name is longer than ${nameLengthMax} characters.`)
  if (params.has(name)) throw malformed(`The parameter ${name} is given more than once.`)
  if (params.size >= paramsMax)
    throw malformed(`The request has more than ${paramsMax} parameters.`)
  params.set(name, value)
}

function bodyText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw syntaxError()
  }
}

const syntaxError = (): ApiError => malformed('The query string contains a syntax error.')

const malformed = (message: string): ApiError => new ApiError('MalformedQueryString', message)
