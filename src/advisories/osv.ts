/**
 * Reads records of OSV, as Debian, Ubuntu and Alpine publish them. What a record says of other
 * ecosystems is left out, and what has no form is refused with `BadRecord`.
 * https://ossf.github.io/osv-schema/
 */
import { hasNul } from '../lib/json.ts'
import type { Advisory, AdvisoryRecord } from './advisory.ts'
import { type Ecosystem, parseEcosystem, versionsOf } from './ecosystem.ts'
import { isWithin, type RangeEvent } from './ranges.ts'
import { severityOf } from './severity.ts'

export class BadRecord extends Error {
  override readonly name = 'BadRecord'
}

type Fields = Readonly<Record<string, unknown>>

const idForm = /^[\w.:+-]{1,128}$/
const cveForm = /^(?:[A-Z]+-)?(CVE-\d{4}-\d{4,})$/
const textMax = 256

export function readRecord(given: unknown): AdvisoryRecord {
  const record = fieldsOf(given)
  const id = textOf(record['id'])
  if (id === undefined || !idForm.test(id)) throw new BadRecord('a record has no id')
  const modifiedAt = new Date(textOf(record['modified']) ?? '')
  if (Number.isNaN(modifiedAt.getTime()))
    throw new BadRecord(`${id} does not say when it was modified`)
  if (record['withdrawn'] !== undefined && record['withdrawn'] !== null) {
    return { id, modifiedAt, advisories: [] }
  }
  const names = [id, ...textsOf(record['aliases']), ...textsOf(record['upstream'])]
  const cves = [...new Set(names.flatMap((name) => cveForm.exec(name)?.[1] ?? []))]
  const vulnerabilities = cves.length > 0 ? cves.toSorted() : [id]
  const merged = new Map<string, Advisory>()
  for (const affected of listOf(record['affected']).map(fieldsOf)) {
    const one = readAffected(record, affected)
    if (!one) continue
    const key = `${one.ecosystem} ${one.packageName}`
    const before = merged.get(key)
    merged.set(key, {
      ...one,
      id,
      vulnerabilities,
      ranges: [...(before?.ranges ?? []), ...one.ranges],
      versions: [...(before?.versions ?? []), ...one.versions],
    })
  }
  return { id, modifiedAt, advisories: [...merged.values()] }
}

/**
 * The same record with nothing but what is read of it here: what is sent of a feed. Records
 * of kernels list thousands of versions that their ranges have anyway.
 */
export function trimRecord(given: unknown): object {
  const record = fieldsOf(given)
  return {
    ...pick(record, ['id', 'modified', 'withdrawn', 'aliases', 'upstream', 'severity']),
    database_specific: pick(fieldsOf(record['database_specific']), ['severity']),
    affected: listOf(record['affected']).map(fieldsOf).flatMap(trimAffected),
  }
}

function trimAffected(affected: Fields): readonly object[] {
  const named = fieldsOf(affected['package'])
  const ecosystem = parseEcosystem(textOf(named['ecosystem']) ?? '')
  if (!ecosystem) return []
  const ranges = readRanges(affected)
  const versions = versionsBeside(textsOf(affected['versions']), ranges, ecosystem)
  const rated = ['severity', 'ubuntu_priority', 'urgency']
  return [
    {
      package: pick(named, ['ecosystem', 'name']),
      ranges: ranges.map((events) => ({ type: 'ECOSYSTEM', events })),
      versions,
      ...pick(affected, ['severity']),
      ecosystem_specific: pick(fieldsOf(affected['ecosystem_specific']), rated),
      database_specific: pick(fieldsOf(affected['database_specific']), ['severity']),
    },
  ]
}

const pick = (fields: Fields, names: readonly string[]): Fields =>
  Object.fromEntries(names.flatMap((name) => (name in fields ? [[name, fields[name]]] : [])))

function readAffected(
  record: Fields,
  affected: Fields,
): Omit<Advisory, 'id' | 'vulnerabilities'> | undefined {
  const named = fieldsOf(affected['package'])
  const ecosystem = parseEcosystem(textOf(named['ecosystem']) ?? '')
  const packageName = textOf(named['name'])
  if (!ecosystem || packageName === undefined) return undefined
  const ranges = readRanges(affected)
  return {
    ecosystem,
    packageName,
    ranges,
    versions: versionsBeside(textsOf(affected['versions']), ranges, ecosystem),
    ...readSeverity(record, affected),
  }
}

const readRanges = (affected: Fields): readonly (readonly RangeEvent[])[] =>
  listOf(affected['ranges'])
    .map(fieldsOf)
    .filter((range) => range['type'] === 'ECOSYSTEM')
    .map((range) => listOf(range['events']).flatMap(readEvent))
    .filter((events) => events.length > 0)

function readEvent(given: unknown): readonly RangeEvent[] {
  const event = fieldsOf(given)
  const introduced = textOf(event['introduced'])
  if (introduced !== undefined) return [{ introduced }]
  const fixed = textOf(event['fixed'])
  if (fixed !== undefined) return [{ fixed }]
  const last = textOf(event['last_affected'])
  return last === undefined ? [] : [{ last_affected: last }]
}

/** Most of what is listed is in the ranges too. */
function versionsBeside(
  versions: readonly string[],
  ranges: readonly (readonly RangeEvent[])[],
  ecosystem: Ecosystem,
): readonly string[] {
  const compare = versionsOf(ecosystem)
  return versions.filter((version) => !ranges.some((events) => isWithin(version, events, compare)))
}

/** What is said of the package goes before what is said of all. */
function readSeverity(record: Fields, affected: Fields) {
  const specific = fieldsOf(affected['ecosystem_specific'])
  for (const said of [affected, record]) {
    const severities = listOf(said['severity']).map(fieldsOf)
    const scores = (type: string) =>
      severities.filter((one) => one['type'] === type).flatMap((one) => textsOf([one['score']]))
    const database = fieldsOf(said['database_specific'])
    const words = [
      ...scores('Ubuntu'),
      ...textsOf([specific['ubuntu_priority'], specific['severity'], specific['urgency']]),
      ...textsOf([database['severity']]),
    ]
    const severity = severityOf(scores('CVSS_V3'), words)
    if (severity.label) return severity
  }
  return severityOf([], [])
}

const fieldsOf = (given: unknown): Fields =>
  given !== null && typeof given === 'object' && !Array.isArray(given) ? { ...given } : {}
const listOf = (given: unknown): readonly unknown[] => (Array.isArray(given) ? given : [])
const textsOf = (given: unknown): readonly string[] =>
  listOf(given).flatMap((one) => textOf(one) ?? [])

function textOf(given: unknown): string | undefined {
  const isText = typeof given === 'string' && given !== '' && given.length <= textMax
  return isText && !hasNul(given) ? given : undefined
}
