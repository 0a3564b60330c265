/**
 * What is known of a request beside its action and its resource: the condition keys
 * and their values. The names of keys, with the keys of tags in them, are the same
 * in upper and lower case.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */

/** A list where the key can have several values, be there one or many. */
export type ContextValue = string | readonly string[]

export type Context = ReadonlyMap<string, ContextValue>

export type ContextEntries = Readonly<Record<string, ContextValue | undefined>>

/** The context of a request. What is undefined or an empty list is not in it. */
export function contextOf(...several: readonly ContextEntries[]): Context {
  const context = new Map<string, ContextValue>()
  for (const entries of several) {
    for (const [key, value] of Object.entries(entries)) {
      if (value !== undefined && (typeof value === 'string' || value.length > 0)) {
        context.set(key.toLowerCase(), value)
      }
    }
  }
  return context
}
