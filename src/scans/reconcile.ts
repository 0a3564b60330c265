/**
 * Scans the disks of images: each is read once, and judged anew with every feed of advisories.
 * Where there are no advisories, nothing is read. What a disk holds is the word of whoever made
 * it, so that reading it has bounds, and what is refused is a result like any other.
 */
import { findFeed } from '../advisories/feed.ts'
import { listAdvisories } from '../advisories/store.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { StoredDisk } from '../block-store/stored-disk.ts'
import { type Connections, transaction } from '../db/database.ts'
import { DiskRefused } from '../disk-files/bounded-disk.ts'
import { isKeyUnusable } from '../kms/key-trouble.ts'
import type { Digest } from '../lib/digest.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import { cipherUnder, type OpenDiskKey } from '../volumes/disk-keys.ts'
import { findAll, sumUp } from './finding.ts'
import { readInventory } from './read-inventory.ts'
import {
  deleteScan,
  type DiskScan,
  findScan,
  listDueScans,
  recordProblem,
  recordScan,
} from './store.ts'

const dueAtOnce = 20

export function scanReconciler({
  db,
  blockStore,
  openDiskKey,
  now,
}: {
  readonly db: Connections
  readonly blockStore: Pick<BlockStore, 'readManifest' | 'readBlock' | 'hasManifest'>
  readonly openDiskKey: OpenDiskKey
  readonly now: () => Date
}): Reconciler<Digest> {
  const fail = async (disk: Digest, problem: string) => {
    const feed = (await findFeed(db.reads))?.number ?? 0
    await transaction(db.writes, (tx) => recordProblem(tx, disk, { feed, problem }))
  }
  const readOnce = async ({ inventory, disk, kmsKeyArn }: DiskScan) => {
    if (inventory) return inventory
    const cipher = await cipherUnder(kmsKeyArn, openDiskKey)
    return await readInventory(new StoredDisk(blockStore, disk, async () => cipher))
  }
  return {
    name: 'scans',
    stepsAtOnceMax: 1,
    async due() {
      const feed = await findFeed(db.reads)
      return feed ? await listDueScans(db.reads, { feed: feed.number, limit: dueAtOnce }) : []
    },
    async step(disk) {
      const scan = await findScan(db.reads, disk)
      // The number is read before the advisories: what comes in meanwhile is due again.
      const feed = (await findFeed(db.reads))?.number ?? 0
      if (!scan || scan.feed >= feed) return 'waiting'
      if (!blockStore.hasManifest(disk)) {
        await transaction(db.writes, (tx) => deleteScan(tx, disk))
        return 'moved'
      }
      try {
        const inventory = await readOnce(scan)
        const { ecosystem, sources } = inventory
        const packageNames = sources.map(({ name }) => name)
        const advisories = await listAdvisories(db.reads, { ecosystem, packageNames })
        const nowMs = now().getTime()
        const findings = await findAll(inventory, advisories, { before: scan.findings, nowMs })
        const results = sumUp(findings, nowMs)
        await transaction(db.writes, (tx) =>
          recordScan(tx, disk, { feed, inventory, findings, results }),
        )
      } catch (error) {
        if (!(error instanceof DiskRefused)) throw error
        await fail(disk, error.message)
      }
      return 'moved'
    },
    async giveUp(disk, error) {
      await fail(
        disk,
        isKeyUnusable(error) ? 'its key cannot be used' : 'its blocks cannot be read',
      )
    },
  }
}
