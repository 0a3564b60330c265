/** From the output of an action to its JSON. */
import { mismatch } from './encode.ts'
import type { Model, ScalarKind, Shape, Structure } from './model.ts'

/** The body that answers `action`: nothing for one that answers nothing. */
export function encodeOutput(model: Model, action: string, output: unknown): string {
  const structure = model.output(action)
  return structure ? JSON.stringify(encodeMembers(model, structure, output)) : ''
}

function encodeMembers(model: Model, structure: Structure, value: unknown): object {
  const values = recordOf(value, structure.name)
  const encoded: Record<string, unknown> = {}
  for (const { name, shape, location } of structure.members) {
    const member = values[name]
    if (member === undefined || member === null || location !== 'body') continue
    encoded[name] = encodeShape(model, shape, member, `${structure.name}.${name}`)
  }
  return encoded
}

function encodeShape(model: Model, shape: Shape, value: unknown, path: string): unknown {
  if (shape.kind === 'structure') return encodeMembers(model, model.structure(shape.name), value)
  if (shape.kind === 'list') {
    if (!Array.isArray(value)) throw mismatch('list', path)
    return value.map((item) => encodeShape(model, shape.item, item, path))
  }
  if (shape.kind !== 'map') return encodeScalar(shape.kind, value, path)
  const entries = Object.entries(recordOf(value, path)).filter(([, item]) => item !== undefined)
  return Object.fromEntries(
    entries.map(([key, item]) => [key, encodeShape(model, shape.value, item, path)]),
  )
}

function recordOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw mismatch('structure', path)
  return value as Readonly<Record<string, unknown>>
}

function encodeScalar(kind: ScalarKind, value: unknown, path: string): unknown {
  if (kind === 'string' && typeof value === 'string') return value
  if (kind === 'boolean' && typeof value === 'boolean') return value
  if ((kind === 'integer' || kind === 'decimal') && Number.isFinite(value)) return value
  // Seconds since 1970, with a fraction.
  if (kind === 'timestamp' && value instanceof Date) return value.getTime() / 1000
  if (kind === 'blob' && value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  throw mismatch(kind, path)
}
