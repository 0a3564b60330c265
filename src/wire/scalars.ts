/** Single values as the query protocols write them: text that stands for something else. */
import { ApiError, invalidParameterValue } from '../lib/errors.ts'
import type { ScalarKind } from './model.ts'

/** How much of a wrong value the refusal repeats. */
const echoedLengthMax = 100

/** The value that `text` stands for, or a refusal that names `path`. */
export function decodeScalar(kind: ScalarKind, text: string, path: string): unknown {
  switch (kind) {
    case 'string':
      return text
    case 'boolean':
      return decodeBoolean(text) ?? refuse(path, text, 'It must be true or false.')
    case 'integer':
      return decodeInteger(text) ?? refuse(path, text, 'It must be an integer.')
    case 'decimal':
      return decodeDecimal(text) ?? refuse(path, text, 'It must be a number.')
    case 'timestamp':
      return decodeTimestamp(text) ?? refuse(path, text, 'It must be a date in ISO 8601 format.')
    case 'blob':
      return decodeBlob(text) ?? refuseBlob(path)
  }
}

function decodeBoolean(text: string): boolean | undefined {
  const lower = text.toLowerCase()
  return lower === 'true' ? true : lower === 'false' ? false : undefined
}

function decodeInteger(text: string): number | undefined {
  const number = /^[+-]?\d{1,16}$/.test(text) ? Number(text) : NaN
  // Adding zero makes one zero of the two.
  return Number.isSafeInteger(number) ? number + 0 : undefined
}

function decodeDecimal(text: string): number | undefined {
  const number = /^[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?$/.test(text)
    ? Number(text)
    : NaN
  return Number.isFinite(number) ? number : undefined
}

/** A date, or a date with a time, in UTC where no zone is given. */
function decodeTimestamp(text: string): Date | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:\d\d)?)?$/.exec(text)
  if (!match) return undefined
  const [, day = '', time = '00:00', zone = 'Z'] = match
  const midnight = new Date(`${day}T00:00Z`)
  const date = new Date(`${day}T${time}${zone}`)
  // The 31st of February is a date to `Date`, and the 3rd of March.
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day)
  return isDay && !Number.isNaN(date.getTime()) ? date : undefined
}

function decodeBlob(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\r\n]/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(digits) || digits.replace(/=+$/, '').length % 4 === 1)
    return undefined
  return new Uint8Array(Buffer.from(digits, 'base64'))
}

function refuse(path: string, text: string, rule: string): never {
  const echoed = text.length > echoedLengthMax ? `${text.slice(0, echoedLengthMax)}…` : text
  throw invalidParameterValue(path, echoed, rule)
}

/** Blobs may be secret and may be long, so the refusal does not repeat them. */
function refuseBlob(path: string): never {
  throw new ApiError('InvalidParameterValue', `Invalid BASE64 encoding of parameter ${path}.`)
}
