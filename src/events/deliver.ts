/** One try to deliver an event: a POST of its JSON, signed. Whatever the receiver says beside its status is not read. */
import { messageOf } from '../lib/message-of.ts'
import type { Secret } from '../lib/secret.ts'
import { isListedUrl, OutboundRefused, send } from '../outbound/request.ts'
import type { OutboundRules } from '../outbound/rules.ts'
import type { Event } from './event.ts'
import { signatureOf } from './subscription.ts'

const timeoutMs = 10_000

/** Answers why it did not work, or nothing where it did. */
export async function deliver(
  event: Pick<Event, 'id' | 'body'>,
  to: { readonly url: string; readonly secret: Secret },
  {
    rules,
    now,
    signal,
  }: {
    readonly rules: OutboundRules
    readonly now: Date
    readonly signal: AbortSignal
  },
): Promise<string | undefined> {
  const { id, body } = event
  const timestamp = Math.floor(now.getTime() / 1000)
  const isLate = AbortSignal.timeout(timeoutMs)
  try {
    const url = new URL(to.url)
    requireSafe(rules, url)
    const response = await send({
      url,
      rules,
      method: 'POST',
      signal: AbortSignal.any([signal, isLate]),
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(to.secret, { id, timestamp, body }),
      },
      body,
    })
    response.destroy()
    const { statusCode = 0 } = response
    if (statusCode >= 200 && statusCode < 300) return undefined
    if (statusCode < 300 || statusCode >= 400) return `it answered ${statusCode}`
    return `it answered ${statusCode}, and redirects are not followed`
  } catch (error) {
    if (isLate.aborted) return `it did not answer within ${timeoutMs / 1000} s`
    return messageOf(error)
  }
}

/** What leaves the operator's own hosts is encrypted. */
export function requireSafe(rules: OutboundRules, url: URL): void {
  if (url.protocol === 'https:' || isListedUrl(rules, url)) return
  throw new OutboundRefused(
    `Cannot call ${url.hostname} without TLS, so its URL must begin with https: only hosts that ` +
      `IMAGO_OUTBOUND_HOSTS lists may be called by http.`,
  )
}
