/**
 * What one rule says of a call about an image. The first that does not let it pass is what
 * the caller hears of; the others are told all the same, as they would be heard of next.
 */
export interface Finding {
  readonly rule: Rule
  readonly verdict: Verdict
  /** The code that a call is answered with for it. */
  readonly code?: string
  readonly text: string
}

export type Rule =
  | 'policies'
  | 'existence'
  | 'ownership'
  | 'launch permission'
  | 'allowed AMIs'
  | 'state'
  | 'deprecation'
  | 'storage'
  | 'key'
  | 'block public access'
  | 'deregistration protection'

/** `untold`: it is a secret of another account's. */
export type Verdict = 'passes' | 'hides' | 'refuses' | 'untold'

export type Outcome = 'allowed' | 'hidden' | 'refused'

export const passes = (rule: Rule, text: string): Finding => ({ rule, verdict: 'passes', text })

export const hides = (rule: Rule, code: string | undefined, text: string): Finding => ({
  rule,
  verdict: 'hides',
  ...(code !== undefined && { code }),
  text,
})

export const refuses = (rule: Rule, code: string, text: string): Finding => ({
  rule,
  verdict: 'refuses',
  code,
  text,
})

export const untold = (rule: Rule, text: string): Finding => ({ rule, verdict: 'untold', text })

/** What comes of the call, and the rule that decides it, where one does. */
export function conclude(findings: readonly Finding[]): {
  readonly outcome: Outcome
  readonly decisive?: Finding
} {
  const decisive = findings.find(({ verdict }) => verdict === 'hides' || verdict === 'refuses')
  if (!decisive) return { outcome: 'allowed' }
  return { outcome: decisive.verdict === 'hides' ? 'hidden' : 'refused', decisive }
}
