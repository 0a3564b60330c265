/**
 * Proves that a trail is whole: every event from the first that is kept to the last
 * one, none missing, none changed, and each listed as it was recorded. Tells the first
 * break of each trail.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Database } from '../db/database.ts'
import { hashOf, listedAs } from './event.ts'
import { listKept, listTrails, type Trail } from './store.ts'

export interface Verified {
  readonly accountId: string
  readonly events: number
  /** Of the last event: who keeps it elsewhere can tell later that nothing before it has changed. */
  readonly hash: string
  /** What is wrong first, in words. */
  readonly brokenAt?: { readonly position: number; readonly what: string }
}

const readAtOnce = 500

export async function* verifyTrails(db: Database): AsyncGenerator<Verified> {
  for (const trail of await listTrails(db)) yield await verifyTrail(db, trail)
}

async function verifyTrail(db: Database, trail: Trail): Promise<Verified> {
  const { accountId } = trail
  let { firstPosition: position, firstHash: hash } = trail
  const broken = (what: string): Verified => ({
    accountId,
    events: position - trail.firstPosition,
    hash,
    brokenAt: { position: position + 1, what },
  })
  for (;;) {
    const events = await listKept(db, { accountId, after: position, limit: readAtOnce })
    if (events.length === 0) break
    for (const event of events) {
      if (event.position !== position + 1) return broken('is missing')
      if (hashOf(hash, event) !== event.hash) return broken('is not what was recorded')
      if (!isDeepStrictEqual(listedAs(event.record), event.listed))
        return broken('is not listed as it was recorded')
      position = event.position
      hash = event.hash
    }
  }
  if (position < trail.position) return broken('is missing')
  if (position > trail.position || hash !== trail.hash) return broken('is not the end of the trail')
  return { accountId, events: position - trail.firstPosition, hash }
}
