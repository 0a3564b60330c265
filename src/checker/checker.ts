/**
 * Looks at a whole installation and tells what must not be. Changes nothing.
 *
 * These are the invariants that hold at every moment, also right after a crash
 * once the service has been up again: every content that a row names is there
 * and undamaged; what is promised is owed by a reconciler; files, processes and
 * rows agree, and nothing is left over; what was changed was recorded. While the
 * service is at work, a thing that is on its way may be seen between two steps.
 */
import { join } from 'node:path'
import type { BlockStore } from '../block-store/block-store.ts'
import type { Database } from '../db/database.ts'
import { listDirectBlocks, listDirectUnderWay } from '../ebs-direct/store.ts'
import type { Sealer } from '../lib/seal.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import { checkFiles } from './check-files.ts'
import { checkKeys } from './check-keys.ts'
import { checkMachines } from './check-machines.ts'
import { checkRows } from './check-rows.ts'
import type { Finding } from './finding.ts'
import { openDisks } from './open-disks.ts'

export interface Installation {
  readonly db: Database
  /** Opened to read only where the service is at work. */
  readonly blockStore: BlockStore
  readonly dataFolder: string
  /** Where it is not there, what is sealed under it is not looked at. */
  readonly masterKey?: Sealer | undefined
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void
  readonly signal?: AbortSignal
}

/** The findings, one after another as they are made. Without any, all is well. */
export async function* checkInstallation(installation: Installation): AsyncGenerator<Finding> {
  const { db, dataFolder } = installation
  yield* checkRows(db)
  yield* checkKeys(db, installation.masterKey)
  yield* checkFiles(db, dataFolder)
  yield* checkMachines(db, {
    runFolder: join(dataFolder, 'run'),
    volumesFolder: join(dataFolder, 'volumes'),
    rootsFolder: join(dataFolder, 'instance-disks'),
  })
  yield* checkBlocks(installation)
}

async function* checkBlocks(installation: Installation): AsyncGenerator<Finding> {
  const { db, blockStore, onProgress, signal } = installation
  for (const id of await listDirectUnderWay(db)) {
    for await (const { index, digest } of listDirectBlocks(db, id)) {
      if (blockStore.hasBlock(digest)) continue
      yield { about: id, what: `was given block ${index}, which is missing: ${digest}` }
    }
  }
  const live = await listLiveManifests(db)
  const ciphers = await openDisks(db, installation.masterKey)
  for await (const found of blockStore.verify({ live, ciphers, onProgress, signal })) {
    switch (found.kind) {
      case 'unreadable pack':
        yield { about: found.file, what: `is unreadable: ${found.reason}` }
        break
      case 'damaged block':
        yield { about: found.digest, what: `is damaged, in ${found.file} at byte ${found.offset}` }
        break
      case 'damaged manifest':
        yield { about: found.manifest, what: `is damaged: ${found.reason}` }
        break
      case 'missing manifest':
        yield { about: found.manifest, what: 'is a disk that is needed and not there' }
        break
      case 'missing block':
        yield {
          about: found.digest,
          what: `is missing, block ${found.index ?? 'of some place'} of disk ${found.manifest}`,
        }
        break
      case 'left over':
        yield { about: found.file, what: 'is left over in the block store' }
        break
    }
  }
}
