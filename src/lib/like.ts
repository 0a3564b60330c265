/**
 * Patterns as EC2's filters and IAM's policies write them: `*` stands for any
 * run of characters, `?` for any one, and a backslash takes their meaning away.
 */
const compiled = new Map<string, RegExp>()
const compiledMax = 1000

/** Tells whether the whole of `text` matches `pattern`. Upper and lower case differ. */
export function isLike(pattern: string, text: string): boolean {
  if (!/[*?\\]/.test(pattern)) return pattern === text
  let expression = compiled.get(pattern)
  if (!expression) {
    if (compiled.size >= compiledMax) compiled.clear()
    expression = new RegExp(`^${sourceOf(pattern)}$`, 's')
    compiled.set(pattern, expression)
  }
  return expression.test(text)
}

function sourceOf(pattern: string): string {
  return pattern.replace(/\\([\s\S])|\*+|\?|[.+^${}()|[\]\\]/g, (found, escaped?: string) => {
    if (escaped !== undefined) return escaped.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    if (found.startsWith('*')) return '.*'
    if (found === '?') return '.'
    return `\\${found}`
  })
}
