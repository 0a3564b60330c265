/**
 * How often each key may call: a bucket of tokens, which fills up at a steady rate.
 * https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html
 */
import { ApiError } from '../lib/errors.ts'

interface Bucket {
  tokens: number
  filledAtMs: number
}

/** Beyond so many keys, those with full buckets are forgotten. */
const bucketsMax = 10_000

export class RateLimiter {
  readonly #perSecond: number
  readonly #burst: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#burst = 2 * perSecond
  }

  /** Throws `RequestLimitExceeded` where `key` has called too often. The clock is monotonic. */
  take(key: string, nowMs: number): void {
    if (this.mayCall(key, nowMs)) return
    throw new ApiError('RequestLimitExceeded', 'Request limit exceeded.')
  }

  /** The same, for those who answer it themselves. */
  mayCall(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, filledAtMs: nowMs }
    const filled = bucket.tokens + ((nowMs - bucket.filledAtMs) / 1000) * this.#perSecond
    bucket.tokens = Math.min(this.#burst, filled)
    bucket.filledAtMs = nowMs
    this.#buckets.set(key, bucket)
    if (this.#buckets.size > bucketsMax) this.#forget(nowMs)
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  #forget(nowMs: number): void {
    const fullAfterMs = (this.#burst / this.#perSecond) * 1000
    for (const [key, { filledAtMs }] of this.#buckets)
      if (nowMs - filledAtMs > fullAfterMs) this.#buckets.delete(key)
  }
}
