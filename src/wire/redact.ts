/** Inputs as they may be kept and shown: what the schema calls sensitive is left out. */
import type { Input } from './decode.ts'
import type { Model, Shape, Structure } from './model.ts'

const redacted = '[secret]'

/** A copy of the input of `action` in which each sensitive member says only that it was there. */
export function redactInput(model: Model, action: string, input: Input): Input {
  const structure = model.input(action)
  return structure ? redactMembers(model, structure, input) : {}
}

function redactMembers(model: Model, structure: Structure, input: Input): Input {
  const values: Input = {}
  for (const { name, shape, isSensitive } of structure.members) {
    const value = input[name]
    if (value !== undefined)
      values[name] = isSensitive ? redacted : redactShape(model, shape, value)
  }
  return values
}

function redactShape(model: Model, shape: Shape, value: unknown): unknown {
  if (shape.kind === 'list' && Array.isArray(value))
    return value.map((item) => redactShape(model, shape.item, item))
  if (shape.kind === 'map' && typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, redactShape(model, shape.value, item)]),
    )
  if (shape.kind === 'structure' && typeof value === 'object' && value !== null)
    return redactMembers(model, model.structure(shape.name), value as Input)
  return value
}
