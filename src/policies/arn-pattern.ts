/**
 * ARNs and what fits them. The six parts of an ARN are compared one by one, so that a
 * wildcard never reaches over a colon that separates two of them. Where a pattern has
 * fewer parts, the `*` at the end of one stands for all that is left out.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
 */
import type { Context } from './context.ts'
import { compilePattern } from './pattern.ts'

/** `arn`, partition, service, Region, account, and the resource with all its colons. */
export type ArnParts = readonly string[]

const partCount = 6
const resourcePart = partCount - 1

/** The parts of an ARN, or nothing where it is none. */
export function arnPartsOf(text: string): ArnParts | undefined {
  const parts = text.split(':')
  if (parts.length < partCount || parts[0] !== 'arn') return undefined
  return [...parts.slice(0, resourcePart), parts.slice(resourcePart).join(':')]
}

/** What a request is about: an ARN in its parts, or `*` where the action knows no resources. */
export interface Subject {
  readonly text: string
  readonly parts: ArnParts | undefined
}

export const subjectOf = (text: string): Subject => ({ text, parts: arnPartsOf(text) })

export interface ArnPattern {
  fits(subject: Subject, context: Context): boolean
}

/** What the `Resource` of a statement says. Variables count only after the fifth colon. */
export function compileResource(text: string, variables: boolean): ArnPattern {
  if (text === '*') return { fits: () => true }
  const parts = arnPartsOf(text)
  if (parts) return partsPattern(parts, (index) => variables && index === resourcePart)
  const whole = compilePattern(text, { wildcards: true, variables: false })
  // Nothing but `*` covers what has no ARN.
  return { fits: ({ text: given, parts: has }, context) => !!has && whole.fits(given, context) }
}

/** What a condition on an ARN says, or nothing where it is no ARN. */
export function compileArn(text: string, variables: boolean): ArnPattern | undefined {
  const parts = arnPartsOf(text)
  return parts && partsPattern(parts, () => variables)
}

function partsPattern(parts: ArnParts, hasVariables: (index: number) => boolean): ArnPattern {
  // All ARNs begin alike, and most patterns leave some parts open.
  const patterns = parts.flatMap((part, index) => {
    if (index === 0 || part === '*') return []
    const variables = hasVariables(index)
    return { index, pattern: compilePattern(part, { wildcards: true, variables }) }
  })
  return {
    fits: ({ parts: given }, context) =>
      given !== undefined &&
      patterns.every(({ index, pattern }) => pattern.fits(given[index] ?? '', context)),
  }
}
