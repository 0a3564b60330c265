/** An advisory: what one record of a feed says of one package of one release. */
import type { Ecosystem } from './ecosystem.ts'
import type { Affected } from './ranges.ts'
import type { Severity } from './severity.ts'

export interface Advisory extends Severity, Affected {
  /** `DSA-5764-1`, `DEBIAN-CVE-2024-6119` */
  readonly id: string
  readonly ecosystem: Ecosystem
  /** The source that packages are built of, as Debian, Ubuntu and Alpine name them in OSV. */
  readonly packageName: string
  /** The vulnerabilities that it is about: their CVE numbers, or its own id where it has none. */
  readonly vulnerabilities: readonly string[]
}

/** A record, with what it says of what is read here. That is nothing where it was withdrawn. */
export interface AdvisoryRecord {
  readonly id: string
  readonly modifiedAt: Date
  readonly advisories: readonly Advisory[]
}
