/**
 * Events as they come, as server-sent events: what is behind a position first, then what is new.
 * Nothing is held in memory but the batch that is being written: a reader that is too slow is
 * cut off, and goes on later with `Last-Event-ID`.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Database } from '../db/database.ts'
import type { EventFeed } from './feed.ts'
import { findLastPosition, listEvents } from './store.ts'

export interface StreamOptions {
  readonly db: Database
  readonly feed: EventFeed
  readonly accountId: string
  readonly region: string
  /** Nothing for what is new from now on. */
  readonly after: number | undefined
  /** A sign of life so often. */
  readonly heartbeatMs: number
  /** How long a reader may take for what was written. */
  readonly drainMs: number
  /** Asked before anything is told, and before each sign of life. */
  readonly isAllowed: () => Promise<boolean>
}

const atOnceMax = 100

/** Writes to an answer whose head is written, until the reader goes, is too slow, or may read no longer. */
export async function streamEvents(to: ServerResponse, options: StreamOptions): Promise<void> {
  const { db, feed, accountId, region, heartbeatMs, drainMs, isAllowed } = options
  let after = options.after ?? (await findLastPosition(db))
  const gone = new AbortController()
  to.once('close', () => {
    gone.abort()
    feed.wake()
  })
  const write = async (text: string) => {
    if (to.write(text)) return
    const signal = AbortSignal.any([gone.signal, AbortSignal.timeout(drainMs)])
    await once(to, 'drain', { signal }).catch(() => to.destroy())
  }
  // Where nothing comes for long, a reader that comes back begins here.
  await write(`id: ${after}\n: events of ${accountId} in ${region}\n\n`)
  let beatAt = performance.now() + heartbeatMs
  while (!to.destroyed && !gone.signal.aborted) {
    // Asked for before the look, so that nothing comes between the two.
    const news = feed.next(Math.max(0, beatAt - performance.now()))
    const events = await listEvents(db, { accountId, region, after, limit: atOnceMax })
    if (events.length > 0 && !(await isAllowed())) break
    for (const { position, body } of events) {
      await write(`id: ${position}\ndata: ${body}\n\n`)
      if (to.destroyed) return
      after = position
    }
    if (events.length === 0) await news
    if (performance.now() < beatAt) continue
    if (!(await isAllowed())) break
    await write(': still here\n\n')
    beatAt = performance.now() + heartbeatMs
  }
  to.end()
}

/** `Last-Event-ID`: nothing where it is not given, or is none of ours. */
export function readPosition(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
