/**
 * EventBridge's event patterns: every field that a pattern names has to have one of the values
 * there. Of its comparisons: exact values, `prefix`, `anything-but` and `exists`.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
import { ApiError } from '../lib/errors.ts'

type Scalar = string | number | boolean | null
type Test = (value: Scalar) => boolean

/** The values that a field may have, and whether it may be there at all. */
interface Leaf {
  readonly tests: readonly Test[]
  readonly exists: readonly boolean[]
}
interface Branch {
  readonly fields: ReadonlyMap<string, Leaf | Branch>
}

export type Pattern = Branch

const lengthMax = 4096
const depthMax = 16

/** Throws `InvalidParameterValue` with what is wrong and where. */
export function parsePattern(value: unknown): Pattern {
  const text = JSON.stringify(value) ?? ''
  if (text.length > lengthMax) throw bad('', `it is longer than ${lengthMax} characters`)
  return parseBranch(value, '', 0)
}

function parseBranch(value: unknown, path: string, depth: number): Branch {
  if (depth > depthMax) throw bad(path, 'it is too deep')
  const fields = isRecord(value) ? Object.entries(value) : []
  if (fields.length === 0) throw bad(path, 'it must be an object that names fields')
  return {
    fields: new Map(
      fields.map(([name, inner]) => {
        const at = path === '' ? name : `${path}.${name}`
        if (name === '$or') throw bad(at, '$or is not supported')
        return [
          name,
          Array.isArray(inner) ? parseLeaf(inner, at) : parseBranch(inner, at, depth + 1),
        ]
      }),
    ),
  }
}

function parseLeaf(values: readonly unknown[], path: string): Leaf {
  if (values.length === 0) throw bad(path, 'it must have a value at least')
  const tests: Test[] = []
  const exists: boolean[] = []
  for (const value of values) {
    if (isScalar(value)) tests.push((found) => found === value)
    else if (isRecord(value)) {
      const [[name, operand] = ['', undefined], ...more] = Object.entries(value)
      if (more.length > 0) throw bad(path, 'a comparison must have one name')
      if (name === 'exists') exists.push(parseExists(operand, path))
      else tests.push(parseComparison(name, operand, path))
    } else throw bad(path, 'it must hold values and comparisons')
  }
  return { tests, exists }
}

function parseExists(operand: unknown, path: string): boolean {
  if (typeof operand === 'boolean') return operand
  throw bad(path, 'exists must be true or false')
}

function parseComparison(name: string, operand: unknown, path: string): Test {
  if (name === 'prefix') return prefixed(operand, path)
  if (name !== 'anything-but') {
    throw bad(path, `the comparison ${name} is not supported: prefix, anything-but and exists are`)
  }
  if (isRecord(operand)) {
    const [[inner, prefix] = ['', undefined], ...more] = Object.entries(operand)
    if (inner !== 'prefix' || more.length > 0)
      throw bad(path, `anything-but takes values or prefix`)
    const test = prefixed(prefix, path)
    return (found) => !test(found)
  }
  const values = Array.isArray(operand) ? (operand as readonly unknown[]) : [operand]
  const isRight = values.length > 0 && values.every((one) => isScalar(one) && one !== null)
  if (!isRight) throw bad(path, 'anything-but takes texts and numbers')
  return (found) => !values.some((one) => one === found)
}

function prefixed(operand: unknown, path: string): Test {
  if (typeof operand !== 'string' || operand === '') throw bad(path, 'prefix takes a text')
  return (found) => typeof found === 'string' && found.startsWith(operand)
}

/** Whether an event is one that the pattern selects. */
export function matches({ fields }: Pattern, event: object): boolean {
  const found = new Map<string, unknown>(Object.entries(event))
  for (const [name, wanted] of fields) {
    const value = found.get(name)
    if ('fields' in wanted) {
      // What is not there has no fields: a pattern can only ask for them to be missing.
      if (!matches(wanted, isRecord(value) ? value : {})) return false
    } else if (!matchesLeaf(wanted, value)) return false
  }
  return true
}

/** Of several values one has to do. */
function matchesLeaf({ tests, exists }: Leaf, value: unknown): boolean {
  const values = (Array.isArray(value) ? (value as readonly unknown[]) : [value]).filter(isScalar)
  if (exists.includes(values.length > 0)) return true
  return values.some((one) => tests.some((test) => test(one)))
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isScalar = (value: unknown): value is Scalar =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

function bad(path: string, why: string): ApiError {
  const where = path === '' ? '' : ` at ${path.slice(0, 200)}`
  return new ApiError('InvalidParameterValue', `The event pattern is invalid${where}: ${why}.`)
}
