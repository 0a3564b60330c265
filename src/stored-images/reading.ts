/** Reads values that anyone may have written: each is what it should be, or the object is bad. */

/** An object that is no stored image, or a damaged one. Its message says why. */
export class BadObject extends Error {
  readonly why: string

  constructor(why: string) {
    super(`The object is not a whole stored image: ${why}`)
    this.name = 'BadObject'
    this.why = why
  }
}

export function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(what)
  return value as Readonly<Record<string, unknown>>
}

export function list(value: unknown, what: string, lengthMax: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length > lengthMax) throw wrong(what)
  return value as readonly unknown[]
}

export function items<T>(values: readonly unknown[], read: (value: unknown) => T): readonly T[] {
  return values.map((value) => read(value))
}

export function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value)
}

export function text(value: unknown, what: string, form: RegExp, lengthMax = 1024): string {
  if (typeof value !== 'string' || Array.from(value).length > lengthMax || !form.test(value)) {
    throw wrong(what)
  }
  return value
}

export function integer(value: unknown, what: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw wrong(what)
  }
  return value
}

export function flag(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw wrong(what)
  return value
}

/** A moment as `toISOString` writes it, in a year of four digits. */
export function instant(value: unknown, what: string): Date {
  const at = new Date(text(value, what, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))
  if (Number.isNaN(at.getTime())) throw wrong(what)
  return at
}

const wrong = (what: string) => new BadObject(`${what} is wrong`)
