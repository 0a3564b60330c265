/** A subscription: where the events of an account in a Region are sent, and which of them. */
import { createHmac } from 'node:crypto'
import { ApiError } from '../lib/errors.ts'
import type { Secret } from '../lib/secret.ts'
import type { Pattern } from './pattern.ts'

export type SubscriptionId = `evsub-${string}`

export interface Subscription {
  readonly id: SubscriptionId
  readonly accountId: string
  readonly region: string
  readonly url: string
  /** As it was given. */
  readonly pattern: unknown
  readonly createdAt: Date
  readonly deliveredAt: Date | undefined
}

/** What an account can have in a Region. */
export const subscriptionsMax = 20

export const formatSubscriptionId = (random: Uint8Array): SubscriptionId =>
  `evsub-${Buffer.from(random).toString('hex').slice(0, 17)}`

export const isSubscriptionId = (text: string): text is SubscriptionId =>
  /^evsub-[0-9a-f]{17}$/.test(text)

export const subscriptionNotFound = (id: string): ApiError =>
  new ApiError('InvalidID', `The subscription '${id.slice(0, 100)}' does not exist`)

export interface Selector {
  readonly id: SubscriptionId
  readonly accountId: string
  readonly region: string
  readonly pattern: Pattern | undefined
}

/** How long an event is tried to be delivered. */
export const lifeMs = 24 * 60 * 60 * 1000

const waitMsMax = 10 * 60 * 1000

/** The wait after so many tries: a second at first, twice as long each time. */
export const waitAfterMs = (tries: number): number =>
  Math.min(1000 * 2 ** Math.max(0, tries - 1), waitMsMax)

export const secretBytes = 32
const secretPrefix = 'whsec_'

/** As its holder is shown it, once. */
export const formatSecret = (bytes: Uint8Array): string =>
  secretPrefix + Buffer.from(bytes).toString('base64')

/** Vouches for a delivery, as https://www.standardwebhooks.com has it. */
export function signatureOf(
  secret: Secret,
  {
    id,
    timestamp,
    body,
  }: { readonly id: string; readonly timestamp: number; readonly body: string },
): string {
  const key = Buffer.from(secret.reveal().slice(secretPrefix.length), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
