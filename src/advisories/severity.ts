/** How severe a vulnerability is, as EC2 labels it, from the least. */
import { cvssBaseScore } from './cvss.ts'

export const severityLabels = ['informational', 'low', 'medium', 'high', 'critical'] as const
export type SeverityLabel = (typeof severityLabels)[number]

export interface Severity {
  /** Nothing where nobody has said yet. */
  readonly label: SeverityLabel | undefined
  readonly score: number | undefined
}

/** What nobody has rated: Inspector has a label for that, and EC2 does not say what it makes of it. */
export const untriaged: Severity = { label: undefined, score: undefined }

export const isSeverityLabel = (text: string): text is SeverityLabel =>
  severityLabels.some((label) => label === text)

/** 0 for what nobody has rated. */
export const rankOf = (label: SeverityLabel | undefined): number =>
  label === undefined ? 0 : severityLabels.indexOf(label) + 1

export function labelOfScore(score: number): SeverityLabel {
  if (score >= 9) return 'critical'
  if (score >= 7) return 'high'
  if (score >= 4) return 'medium'
  return score > 0 ? 'low' : 'informational'
}

/** The words that those who publish advisories have, those of EC2 apart. */
const words: ReadonlyMap<string, SeverityLabel> = new Map([
  ['negligible', 'informational'],
  ['unimportant', 'informational'],
  ['moderate', 'medium'],
  ['important', 'high'],
])

/** By vectors where one can be read, else by words. */
export function severityOf(vectors: readonly string[], rated: readonly string[]): Severity {
  const scores = vectors.map(cvssBaseScore).filter((score) => score !== undefined)
  if (scores.length > 0) {
    const score = Math.max(...scores)
    return { label: labelOfScore(score), score }
  }
  // Debian's tracker marks with stars what it has found out by itself.
  for (const word of rated.map((text) => text.toLowerCase().replace(/\*+$/, ''))) {
    const label = isSeverityLabel(word) ? word : words.get(word)
    if (label) return { label, score: undefined }
  }
  return untriaged
}
