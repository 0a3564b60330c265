/**
 * Databases of packages as texts: a paragraph of a package, a line of a field. Nothing is kept of them
 * but the fields that are asked for, however long they are.
 */

/** The fields of each paragraph, of which the first of a name counts. */
export function* paragraphsIn(
  text: string,
  names: ReadonlySet<string>,
): Generator<ReadonlyMap<string, string>, undefined> {
  let fields = new Map<string, string>()
  for (let at = 0; at < text.length;) {
    const found = text.indexOf('\n', at)
    const end = found === -1 ? text.length : found
    if (isBlank(text, at, end)) {
      if (fields.size > 0) yield fields
      fields = new Map()
    } else {
      // What goes on from the line before begins with a space, so that it has no such name.
      const head = text.slice(at, Math.min(end, at + nameMax))
      const name = head.slice(0, Math.max(0, head.indexOf(':')))
      if (names.has(name) && !fields.has(name)) {
        const start = at + name.length + 1
        fields.set(name, text.slice(start, Math.min(end, start + valueMax)).trim())
      }
    }
    at = end + 1
  }
  if (fields.size > 0) yield fields
  return undefined
}

const nameMax = 32
const valueMax = 1024

function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (text[at] !== ' ' && text[at] !== '\t' && text[at] !== '\r') return false
  }
  return true
}
