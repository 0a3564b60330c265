/**
 * The releases of operating systems whose advisories are kept, as OSV names them, and the order of
 * versions that each goes by.
 * https://ossf.github.io/osv-schema/#defined-ecosystems
 */
import { compareApkVersions } from './apk-version.ts'
import { compareDpkgVersions } from './dpkg-version.ts'

/** `Debian:12`, `Ubuntu:24.04` or `Alpine:v3.20` */
export type Ecosystem = `${'Debian' | 'Ubuntu'}:${string}` | `Alpine:v${string}`

/** Nothing for one that is not read here, or that says no release. */
export function parseEcosystem(text: string): Ecosystem | undefined {
  const [, debian] = /^Debian:(\d+)$/.exec(text) ?? []
  if (debian !== undefined) return `Debian:${debian}`
  // What Ubuntu Pro has fixed, others cannot install: it has advisories of its own.
  const [, ubuntu] = /^Ubuntu:(\d\d\.\d\d)(?::LTS)?$/.exec(text) ?? []
  if (ubuntu !== undefined) return `Ubuntu:${ubuntu}`
  const [, alpine] = /^Alpine:v(\d+\.\d+)$/.exec(text) ?? []
  return alpine === undefined ? undefined : `Alpine:v${alpine}`
}

/** Under zero where the first is older, over it where it is newer. */
export type CompareVersions = (one: string, other: string) => number

export const versionsOf = (ecosystem: Ecosystem): CompareVersions =>
  ecosystem.startsWith('Alpine') ? compareApkVersions : compareDpkgVersions
