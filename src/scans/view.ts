/** Scans as EC2 answers them. */
import type { ImageFinding, ScanResults as ScanResultsOutput } from '@aws-sdk/client-ec2'
import type { SeverityLabel } from '../advisories/severity.ts'
import type { Id } from '../lib/ids.ts'
import type { Finding, ScanResults } from './finding.ts'

export function viewScanResults({
  scannedAtMs,
  highest,
  fixSinceMs,
}: ScanResults): ScanResultsOutput {
  const since = (label: SeverityLabel) => dateOf(fixSinceMs[label])
  return {
    HighestFindingSeverityLabel: highest,
    FindingScanDate: new Date(scannedAtMs),
    InformationalFixAvailableSince: since('informational'),
    LowFixAvailableSince: since('low'),
    MediumFixAvailableSince: since('medium'),
    HighFixAvailableSince: since('high'),
    CriticalFixAvailableSince: since('critical'),
  }
}

export function viewFinding(
  finding: Finding,
  SnapshotId: Id<'snapshot'> | undefined,
): ImageFinding {
  return {
    FixAvailable: finding.hasFix,
    Score: finding.score,
    FirstObservedAt: new Date(finding.firstObservedAtMs),
    UpdatedAt: new Date(finding.updatedAtMs),
    Title: `${finding.vulnerability} - ${finding.packages.join(', ')}`,
    Paths: [...finding.paths],
    SeverityLabel: finding.label,
    SnapshotId,
  }
}

const dateOf = (atMs: number | undefined): Date | undefined =>
  atMs === undefined ? undefined : new Date(atMs)
