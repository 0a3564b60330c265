/** What scans say of images: the same of all that boot from one disk, whosoever they are. */
import { findFeed } from '../advisories/feed.ts'
import type { Database } from '../db/database.ts'
import type { Id } from '../lib/ids.ts'
import { disksOf } from './disks-of.ts'
import type { ScanResults } from './finding.ts'
import { listScanResults } from './store.ts'

export async function resultsOf(
  db: Database,
  images: Parameters<typeof disksOf>[1],
): Promise<ReadonlyMap<Id<'image'>, ScanResults>> {
  // Without advisories nothing was ever scanned.
  if (images.length === 0 || !(await findFeed(db))) return new Map()
  const disks = await disksOf(db, images)
  const results = await listScanResults(
    db,
    [...disks.values()].map(({ disk }) => disk),
  )
  return new Map(
    [...disks].flatMap(([id, { disk }]) => {
      const found = results.get(disk)
      return found ? [[id, found] as const] : []
    }),
  )
}
