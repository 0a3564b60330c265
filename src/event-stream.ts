/** `GET /imago/v1/events`: the one call that does not end with its answer. Signed as every other is. */
import type { ServerResponse } from 'node:http'
import { streamEvents, readPosition } from './events/stream.ts'
import { findCredentials } from './iam/credentials.ts'
import { requireAllowed } from './iam/evaluate.ts'
import { ApiError } from './lib/errors.ts'
import { authenticate, shownError, type Signed, type System, whoAsked } from './pipeline.ts'
import type { HttpRequest } from './wire/request.ts'
import { parseSignature } from './wire/sigv4.ts'

const permission = { action: 'imago:StreamEvents', resource: '*' }
const timing = { heartbeatMs: 15_000, drainMs: 10_000 }
/** Of one key, and of all. */
const streamsOfKeyMax = 4
const streamsMax = 256

export class EventStreams {
  readonly #counts = new Map<string, number>()
  #count = 0

  /** Answers on `to`, which is the caller's no longer. */
  async serve(request: HttpRequest, to: ServerResponse, system: System): Promise<void> {
    const requestId = system.newRequestId()
    const at = system.now()
    let signed: Signed | undefined
    const note = (outcome: string, message?: string) =>
      system.audit.add({
        ...whoAsked(request, signed),
        requestId,
        at,
        service: 'imago',
        action: 'StreamEvents',
        isReadOnly: true,
        outcome,
        message,
        parameters: undefined,
        resources: [],
      })
    try {
      signed = await authenticate(request, system, at)
      system.limiter.take(signed.accessKeyId, performance.now())
      const { caller, region, service, accessKeyId } = signed
      if (service !== 'imago') {
        const message = "Credential should be scoped to service 'imago'."
        throw new ApiError('SignatureDoesNotMatch', message)
      }
      requireAllowed(caller, permission)
      using _place = this.#take(accessKeyId)
      note('Success')
      to.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-amzn-requestid': requestId,
      })
      await streamEvents(to, {
        ...timing,
        db: system.db.reads,
        feed: system.feed,
        accountId: caller.accountId,
        region,
        after: readPosition(request.headers['last-event-id']),
        isAllowed: () => isAllowed(request, caller, system),
      })
    } catch (error) {
      const shown = shownError(error)
      if (shown !== error) system.log.error('a stream failed', { requestId, error })
      if (to.headersSent) return void to.destroy()
      note(shown.code, shown.message)
      to.writeHead(shown.status, { 'content-type': 'application/json', connection: 'close' })
      to.end(JSON.stringify({ code: shown.code, message: shown.message }))
    }
  }

  #take(key: string): Disposable {
    const count = this.#counts.get(key) ?? 0
    if (count >= streamsOfKeyMax || this.#count >= streamsMax) {
      const message = `A key can have ${streamsOfKeyMax} streams of events, and all together ${streamsMax}.`
      throw new ApiError('RequestLimitExceeded', message)
    }
    this.#counts.set(key, count + 1)
    this.#count++
    return {
      [Symbol.dispose]: () => {
        const left = (this.#counts.get(key) ?? 1) - 1
        if (left > 0) this.#counts.set(key, left)
        else this.#counts.delete(key)
        this.#count--
      },
    }
  }
}

/** Whether the key is still one, and its holder may still read. */
async function isAllowed(
  request: HttpRequest,
  { keys }: Signed['caller'],
  { db, readers, now }: System,
): Promise<boolean> {
  try {
    const context = { sealer: readers.masterKey, now: now() }
    const { holder, findPolicies } = await findCredentials(
      db.reads,
      parseSignature(request),
      context,
    )
    requireAllowed({ ...holder, keys, policies: await findPolicies() }, permission)
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}
