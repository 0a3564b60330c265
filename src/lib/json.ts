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
