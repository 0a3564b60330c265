/** What a disk has installed, and by whose advisories that is judged. */
import type { Ecosystem } from '../advisories/ecosystem.ts'

/** A source that is installed in one version, with the packages that are built of it. */
export interface InstalledSource {
  readonly name: string
  readonly version: string
  readonly packages: readonly InstalledPackage[]
}

export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** The file on the disk that says so. */
  readonly path: string
}

export interface Inventory {
  readonly ecosystem: Ecosystem
  /** As the system calls itself. */
  readonly system: string
  readonly sources: readonly InstalledSource[]
}

/** A package as its database has it. */
export interface PackageEntry extends InstalledPackage {
  readonly sourceName: string
  readonly sourceVersion: string
}

const wordMax = 256

/** Names and versions are of ASCII, and anything else in their place is none. */
export const isWord = (text: string | undefined): text is string =>
  text !== undefined && text.length <= wordMax && /^[!-~]+$/.test(text)

/** The packages by their sources, each in its version. */
export function groupBySource(entries: readonly PackageEntry[]): readonly InstalledSource[] {
  const sources = new Map<string, InstalledSource & { packages: InstalledPackage[] }>()
  for (const { sourceName, sourceVersion, name, version, path } of entries) {
    const key = `${sourceName} ${sourceVersion}`
    const source = sources.get(key) ?? { name: sourceName, version: sourceVersion, packages: [] }
    source.packages.push({ name, version, path })
    sources.set(key, source)
  }
  return [...sources.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}
