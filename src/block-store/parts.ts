/** What the store is made of, for the files that work on it. */
import type { Claims } from './claims.ts'
import type { Disk } from './disk.ts'
import type { Manifests } from './manifests.ts'
import type { Packs } from './packs.ts'
import type { PinRegistry } from './pins.ts'
import type { WorkerPool } from './worker-pool.ts'

export interface Parts {
  readonly disk: Disk
  readonly pool: WorkerPool
  readonly packs: Packs
  readonly manifests: Manifests
  readonly pins: PinRegistry
  readonly claims: Claims
  readonly now: () => Date
  readonly graceMs: number
}
