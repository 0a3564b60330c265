/**
 * JSON from outside. What is read holds no NUL character anywhere: PostgreSQL keeps
 * none in a text, XML can answer none, and nothing that has a name has one.
 */
export function parseJson(text: string): unknown {
  if (!text.includes('\\u0000')) return JSON.parse(text)
  return JSON.parse(text, (name, value: unknown) => {
    if (hasNul(name) || (typeof value === 'string' && hasNul(value))) {
      throw new SyntaxError('there is a NUL character in it')
    }
    return value
  })
}

export const hasNul = (text: string): boolean => text.includes('\0')

/** Whether an object names a member twice, of which `JSON.parse` would keep the last and say nothing. */
export function namesTwice(text: string): boolean {
  const open: Set<unknown>[] = []
  let last = ''
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') open.push(new Set())
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') {
      const name: unknown = JSON.parse(last)
      if (open.at(-1)?.has(name)) return true
      open.at(-1)?.add(name)
    } else last = token
  }
  return false
}
