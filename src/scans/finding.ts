/**
 * Findings: the vulnerabilities that a disk has, by its inventory and the advisories that there are.
 * A pure function of both, but for since when each is known, which the findings before it tell.
 */
import type { Advisory } from '../advisories/advisory.ts'
import { versionsOf } from '../advisories/ecosystem.ts'
import { judgeVersion } from '../advisories/ranges.ts'
import { rankOf, type Severity, type SeverityLabel } from '../advisories/severity.ts'
import { DiskRefused } from '../disk-files/bounded-disk.ts'
import type { Inventory } from './inventory.ts'

export interface Finding {
  /** `CVE-2024-6119`, or the id of an advisory without one. */
  readonly vulnerability: string
  readonly label: SeverityLabel | undefined
  readonly score: number | undefined
  readonly hasFix: boolean
  readonly packages: readonly string[]
  readonly paths: readonly string[]
  readonly firstObservedAtMs: number
  readonly updatedAtMs: number
  /** Since when a fix is known for this disk. */
  readonly fixSinceMs: number | undefined
}

/** What is said of an image of a disk. */
export interface ScanResults {
  readonly scannedAtMs: number
  readonly highest: SeverityLabel | undefined
  /** By severity, the first time that a fix was known of a finding. */
  readonly fixSinceMs: Readonly<Partial<Record<SeverityLabel, number>>>
  readonly counts: Readonly<Partial<Record<SeverityLabel | 'untriaged', number>>>
}

type Found = Severity & Shown & { readonly hasFix: boolean }

/** What a finding shows of the packages that have it. */
interface Shown {
  readonly packages: readonly string[]
  readonly paths: readonly string[]
}

const shownMax = 10
/** A disk may have packages made up to be many; others have a turn in between. */
const judgedMax = 1_000_000
const judgedAtOnce = 2000

/** In the order of their names. Throws `DiskRefused` where there is too much to be judged. */
export async function findAll(
  { sources, ecosystem }: Inventory,
  advisories: readonly Advisory[],
  { before, nowMs }: { readonly before: readonly Finding[]; readonly nowMs: number },
): Promise<readonly Finding[]> {
  const compare = versionsOf(ecosystem)
  const bySource = Map.groupBy(advisories, ({ packageName }) => packageName)
  const found = new Map<string, Found>()
  let judged = 0
  for (const { name, version, packages } of sources) {
    const shown = {
      packages: firstOf(packages.map((one) => one.name)),
      paths: firstOf(packages.map(({ path }) => path)),
    }
    for (const advisory of bySource.get(name) ?? []) {
      if (++judged > judgedMax) throw new DiskRefused('too many of its packages have advisories')
      if (judged % judgedAtOnce === 0) await new Promise(setImmediate)
      const { isAffected, hasFix } = judgeVersion(version, advisory, compare)
      if (!isAffected) continue
      for (const vulnerability of advisory.vulnerabilities) {
        const known = found.get(vulnerability)
        found.set(vulnerability, {
          ...worse(known, advisory),
          hasFix: hasFix || known?.hasFix === true,
          packages: known ? firstOf([...known.packages, ...shown.packages]) : shown.packages,
          paths: known ? firstOf([...known.paths, ...shown.paths]) : shown.paths,
        })
      }
    }
  }
  const earlier = new Map(before.map((finding) => [finding.vulnerability, finding]))
  return [...found]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([vulnerability, one]) =>
      date({ vulnerability, ...one }, earlier.get(vulnerability), nowMs),
    )
}

const firstOf = (texts: readonly string[]): readonly string[] =>
  [...new Set(texts)].toSorted().slice(0, shownMax)

/** Advisories of one vulnerability may rate it differently, or not at all. */
function worse(one: Severity | undefined, other: Severity): Severity {
  const isWorse =
    !one ||
    rankOf(other.label) > rankOf(one.label) ||
    (other.label === one.label && (other.score ?? -1) > (one.score ?? -1))
  const { label, score } = isWorse ? other : one
  return { label, score }
}

function date(
  found: Found & { readonly vulnerability: string },
  before: Finding | undefined,
  nowMs: number,
): Finding {
  const { hasFix, label, score, packages } = found
  const isAsBefore =
    before?.label === label &&
    before?.score === score &&
    before?.hasFix === hasFix &&
    before?.packages.join() === packages.join()
  return {
    ...found,
    firstObservedAtMs: before?.firstObservedAtMs ?? nowMs,
    updatedAtMs: isAsBefore && before ? before.updatedAtMs : nowMs,
    fixSinceMs: hasFix ? (before?.fixSinceMs ?? nowMs) : undefined,
  }
}

export function sumUp(findings: readonly Finding[], scannedAtMs: number): ScanResults {
  const fixSinceMs: Partial<Record<SeverityLabel, number>> = {}
  const counts: Partial<Record<SeverityLabel | 'untriaged', number>> = {}
  let highest: SeverityLabel | undefined
  for (const { label, fixSinceMs: since } of findings) {
    counts[label ?? 'untriaged'] = (counts[label ?? 'untriaged'] ?? 0) + 1
    if (rankOf(label) > rankOf(highest)) highest = label
    if (label === undefined || since === undefined) continue
    fixSinceMs[label] = Math.min(fixSinceMs[label] ?? since, since)
  }
  return { scannedAtMs, highest, fixSinceMs, counts }
}
