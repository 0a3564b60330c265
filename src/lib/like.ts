/**
 * Patterns as EC2's filters and IAM's policies write them: `*` stands for any
 * run of characters, `?` for any one, and a backslash takes their meaning away.
 * Whatever the pattern is, the time is bounded by the two lengths: patterns come from callers.
 */
const any = Symbol('?')
const anyRun = Symbol('*')
type Part = string | typeof any | typeof anyRun

interface Known {
  /** The least that a text has to have. */
  readonly lengthMin: number
  /** Made for the first text that is long enough, so there are never many more than that has characters. */
  parts?: readonly Part[]
}

/** One call can bring thousands of patterns and try them all on thousands of things. */
const known = new Map<string, Known>()
let knownLength = 0
const knownLengthMax = 2 * 1024 * 1024
/** What an entry takes beside the pattern itself. */
const entryLength = 100

/** Tells whether the whole of `text` matches `pattern`. Upper and lower case differ. */
export function isLike(pattern: string, text: string): boolean {
  if (!/[*?\\]/.test(pattern)) return pattern === text
  const one = known.get(pattern) ?? remember(pattern)
  if (text.length < one.lengthMin) return false
  one.parts ??= partsOf(pattern)
  return fits(one.parts, text)
}

function remember(pattern: string): Known {
  knownLength += pattern.length + entryLength
  if (knownLength > knownLengthMax) {
    known.clear()
    knownLength = pattern.length + entryLength
  }
  const made = { lengthMin: lengthMinOf(pattern) }
  known.set(pattern, made)
  return made
}

function lengthMinOf(pattern: string): number {
  let length = 0
  for (let at = 0; at < pattern.length; at++) {
    if (pattern[at] === '\\' && at + 1 < pattern.length) at++
    else if (pattern[at] === '*') continue
    length++
  }
  return length
}

/** Where something does not fit, only the last `*` has to take more: those before it took the least. */
function fits(parts: readonly Part[], text: string): boolean {
  let part = 0
  let at = 0
  let run: { readonly part: number; at: number } | undefined
  while (at < text.length) {
    const wanted = parts[part]
    if (wanted === anyRun) {
      run = { part: ++part, at }
    } else if (wanted === any || wanted === text[at]) {
      part++
      at++
    } else if (run) {
      part = run.part
      at = ++run.at
    } else return false
  }
  while (parts[part] === anyRun) part++
  return part === parts.length
}

function partsOf(pattern: string): readonly Part[] {
  const parts: Part[] = []
  for (let at = 0; at < pattern.length; at++) {
    const one = pattern[at] ?? ''
    if (one === '\\' && at + 1 < pattern.length) parts.push(pattern[++at] ?? '')
    else if (one === '?') parts.push(any)
    else if (one !== '*') parts.push(one)
    else if (parts.at(-1) !== anyRun) parts.push(anyRun)
  }
  return parts
}
