/**
 * Brings in the disks that were asked for. A starter image appears in every
 * Region at once: one disk, named by each. What was cut off begins anew; blocks
 * that are stored already are not stored again.
 */
import { blockSizeBytes } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { type Connections, transaction } from '../db/database.ts'
import type { Id, Kind } from '../lib/ids.ts'
import { ApiError } from '../lib/errors.ts'
import { messageOf } from '../lib/message-of.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { Import, ImportId } from './import.ts'
import { CannotImport, type FetchLimits, obtainDisk, type Progress } from './obtain-disk.ts'
import { publishImage } from './publish.ts'
import {
  completeImport,
  failImport,
  findImport,
  listActiveImports,
  reportProgress,
} from './store.ts'
import { inWorkFolder, removeLeftovers } from './work-folder.ts'

export interface ImportDependencies {
  readonly db: Connections
  readonly blockStore: BlockStore
  /** Where disks lie while they are made. */
  readonly workFolder: string
  readonly regions: readonly string[]
  readonly limits: FetchLimits
  readonly now: () => Date
  readonly newId: <K extends Kind>(kind: K) => Id<K>
  /** Aborted when the service closes: what is under way is begun anew after the next start. */
  readonly signal: AbortSignal
}

const reportEveryMs = 500

export function importReconciler(dependencies: ImportDependencies): Reconciler<ImportId> {
  const { db, workFolder, signal } = dependencies
  let isTidy = false
  return {
    name: 'imports',
    // Each has a folder and an upload of its own, and a core is what most of them take.
    stepsAtOnceMax: 2,
    async due() {
      const ids = (await listActiveImports(db.reads)).map(({ id }) => id)
      if (!isTidy) await removeLeftovers(workFolder, ids)
      isTidy = true
      return ids
    },
    async step(id) {
      const item = await findImport(db.reads, id)
      if (item?.state !== 'active') return 'waiting'
      try {
        await bringIn(item, dependencies)
      } catch (error) {
        if (signal.aborted) return 'waiting'
        // Refused for good; anything else is tried again.
        if (!(error instanceof CannotImport) && !(error instanceof ApiError)) throw error
        await failImport(db.writes, id, error.message)
      }
      return 'moved'
    },
    async giveUp(id, error) {
      await failImport(db.writes, id, messageOf(error))
    },
  }
}

async function bringIn(item: Import, dependencies: ImportDependencies): Promise<void> {
  const { db, blockStore, workFolder, regions, limits, now, newId, signal } = dependencies
  const progress = throttledReport(item, dependencies)
  await inWorkFolder(workFolder, item.id, async (folder) => {
    const disk = await obtainDisk(item, folder, { progress, signal, limits })
    using upload = blockStore.beginUpload()
    const whole = { start: 0, length: disk.sizeBytes, file: disk.path, fileOffset: 0 }
    const saved = await upload.saveDisk(
      { sizeBytes: disk.sizeBytes, extents: [whole] },
      { onProgress: (done, total) => progress('storing', done, total), signal },
    )
    const stored = {
      manifest: saved.manifest,
      sizeBytes: disk.sizeBytes,
      fullSizeBytes: saved.blocks * blockSizeBytes,
      addedBytes: saved.bytesAdded,
      bootMode: disk.bootMode,
      platform: disk.platform,
    }
    await transaction(db.writes, async (tx) => {
      const tools = { now: now(), newId }
      const places = item.kind === 'catalog' ? regions : [item.region]
      for (const region of places) {
        const owner = { accountId: item.accountId, region }
        const made = await publishImage(tx, owner, item.image, stored, tools)
        if (region === item.region) {
          await completeImport(tx, item.id, { ...made, manifest: saved.manifest })
        }
      }
    })
  })
}

function throttledReport(item: Import, { db }: ImportDependencies): Progress {
  let last = -Infinity
  return (message, doneBytes, totalBytes) => {
    if (performance.now() - last < reportEveryMs) return
    last = performance.now()
    // Only told, never relied on: an import goes on where this is lost.
    reportProgress(db.writes, item.id, { message, doneBytes, totalBytes }).catch(() => {})
  }
}
