/**
 * Patterns as EC2's filters and IAM's policies write them: `*` stands for any
 * run of characters, `?` for any one, and a backslash takes their meaning away.
 * Whatever the pattern is, the time is bounded by the two lengths: patterns come from callers.
 */
const any = Symbol('?')
const anyRun = Symbol('*')
type Part = string | typeof any | typeof anyRun

interface Compiled {
  readonly parts: readonly Part[]
  readonly lengthMin: number
}

const compiled = new Map<string, Compiled>()
const compiledMax = 1000

/** Tells whether the whole of `text` matches `pattern`. Upper and lower case differ. */
export function isLike(pattern: string, text: string): boolean {
  if (!/[*?\\]/.test(pattern)) return pattern === text
  let known = compiled.get(pattern)
  if (!known) {
    if (compiled.size >= compiledMax) compiled.clear()
    const parts = partsOf(pattern)
    known = { parts, lengthMin: parts.filter((part) => part !== anyRun).length }
    compiled.set(pattern, known)
  }
  return text.length >= known.lengthMin && fits(known.parts, text)
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
