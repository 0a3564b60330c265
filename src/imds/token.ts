/**
 * Session tokens of version 2 of the metadata service: good for one instance
 * and a limited time. Nothing is kept of them; a signature says that they are ours.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export const tokenSecondsMax = 21_600

/** Makes a token that is good for `seconds` from `now` on. */
export function makeToken(key: Uint8Array, instanceId: string, now: Date, seconds: number): string {
  const until = (now.getTime() + seconds * 1000).toString(36)
  return Buffer.from(`${until}.${sign(key, instanceId, until)}`).toString('base64url')
}

/** How many seconds a token is still good for that instance; 0 where it is not. */
export function secondsLeft(key: Uint8Array, instanceId: string, now: Date, token: string): number {
  const [until = '', signature = ''] = Buffer.from(token, 'base64url').toString().split('.')
  const expected = Buffer.from(sign(key, instanceId, until))
  const given = Buffer.from(signature)
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return 0
  return Math.max(0, Math.ceil((Number.parseInt(until, 36) - now.getTime()) / 1000))
}

function sign(key: Uint8Array, instanceId: string, until: string): string {
  return createHmac('sha256', key).update(`${instanceId} ${until}`).digest('base64url')
}
