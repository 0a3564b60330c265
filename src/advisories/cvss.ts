/**
 * The base score of a vector of CVSS 3.0 and 3.1: how bad a vulnerability is, from 0 to 10.
 * https://www.first.org/cvss/v3.1/specification-document
 */

const exploitability = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
} as const
const privileges = {
  unchanged: { N: 0.85, L: 0.62, H: 0.27 },
  changed: { N: 0.85, L: 0.68, H: 0.5 },
} as const
const impacts = { H: 0.56, L: 0.22, N: 0 } as const

/** Nothing where it is no such vector, or not a whole one. */
export function cvssBaseScore(vector: string): number | undefined {
  if (!/^CVSS:3\.[01]\//.test(vector)) return undefined
  const metrics = new Map<string, string>()
  for (const part of vector.split('/').slice(1)) {
    const [name = '', value = ''] = part.split(':')
    if (metrics.has(name)) return undefined
    metrics.set(name, value)
  }
  const scope = metrics.get('S')
  if (scope !== 'U' && scope !== 'C') return undefined
  const isChanged = scope === 'C'
  const weigh = (name: string, weights: Readonly<Record<string, number>>) => {
    const value = metrics.get(name) ?? ''
    return Object.hasOwn(weights, value) ? weights[value] : undefined
  }
  const [av, ac, ui, pr, c, i, a] = [
    weigh('AV', exploitability.AV),
    weigh('AC', exploitability.AC),
    weigh('UI', exploitability.UI),
    weigh('PR', isChanged ? privileges.changed : privileges.unchanged),
    weigh('C', impacts),
    weigh('I', impacts),
    weigh('A', impacts),
  ]
  if (av === undefined || ac === undefined || ui === undefined || pr === undefined) return undefined
  if (c === undefined || i === undefined || a === undefined) return undefined
  const lost = 1 - (1 - c) * (1 - i) * (1 - a)
  const impact = isChanged ? 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 : 6.42 * lost
  if (impact <= 0) return 0
  const ease = 8.22 * av * ac * pr * ui
  return roundUp(Math.min(isChanged ? 1.08 * (impact + ease) : impact + ease, 10))
}

/** To one decimal, by integers as the specification has it, so that every computer finds the same. */
function roundUp(score: number): number {
  const exact = Math.round(score * 100_000)
  return exact % 10_000 === 0 ? exact / 100_000 : (Math.floor(exact / 10_000) + 1) / 10
}
