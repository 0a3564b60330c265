/**
 * Makes the bases whole that volumes are used without meanwhile, and gives up those that nobody
 * wants any more. What a program before us left is found by the rows that name it.
 */
import type { Connections } from '../db/database.ts'
import type { Log } from '../lib/log.ts'
import { baseName } from '../qemu/base-files.ts'
import type { Reconciler } from '../reconcile/loop.ts'
import type { Bases } from '../volumes/bases.ts'
import { listBaseSources } from '../volumes/base-sources.ts'

/** One that could not be made is tried again after so long: there may be room then, or its key can be used. */
const retryMs = 60_000

export function baseReconciler({
  db,
  bases,
  now,
  log,
  signal,
}: {
  readonly db: Connections
  readonly bases: Bases
  readonly now: () => Date
  readonly log: Log
  readonly signal: AbortSignal
}): Reconciler {
  const failedAtMs = new Map<string, number>()
  /** When all that rows name is to be looked at again. */
  let lookAtMs = -Infinity
  const look = async () => {
    lookAtMs = Infinity
    for (const source of await listBaseSources(db.reads)) {
      await bases.prepare(source).catch((error: unknown) => {
        lookAtMs = now().getTime() + retryMs
        log.error('a base cannot be made', { base: baseName(source.base), error })
      })
    }
  }
  return {
    name: 'bases',
    stepsAtOnceMax: 2,

    async due() {
      if (now().getTime() >= lookAtMs) await look()
      const unfinished = bases.unfinished()
      if (unfinished.length === 0) return []
      // Whoever recorded one did so before it was unfinished.
      const wanted = new Set((await listBaseSources(db.reads)).map(({ base }) => baseName(base)))
      for (const name of unfinished) if (!wanted.has(name)) bases.forget(name)
      return unfinished.filter(
        (name) =>
          wanted.has(name) && now().getTime() - (failedAtMs.get(name) ?? -Infinity) > retryMs,
      )
    },

    async step(name) {
      await bases.make(name, signal)
      failedAtMs.delete(name)
      return signal.aborted ? 'waiting' : 'moved'
    },

    async giveUp(name, error) {
      bases.fail(name, error)
      failedAtMs.set(name, now().getTime())
      log.error('a base could not be made', { base: name, error })
    },
  }
}
