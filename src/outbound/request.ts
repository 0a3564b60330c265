/**
 * Calls from the service to somewhere else. Invariant: where a connection goes is decided by
 * the address that it is made to, so a name that means something else the next moment
 * gains nothing; and no redirect is followed unseen.
 */
import { lookup as resolve } from 'node:dns'
import { type IncomingMessage, request as overHttp, type RequestOptions } from 'node:http'
import { request as overHttps } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'
import { isListed, mayConnect, type OutboundRules } from './rules.ts'

/** A call that the operator does not let the service make, in words for who wanted it. */
export class OutboundRefused extends Error {
  override readonly name = 'OutboundRefused'
}

export interface OutboundRequest {
  readonly url: URL
  readonly rules: OutboundRules
  readonly signal: AbortSignal
  /** How long nothing may come, where it is not half a minute. */
  readonly idleMs?: number
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends one request, and answers when the head of the answer is there. Its body is the caller's to read or to drop. */
export async function send(request: OutboundRequest): Promise<IncomingMessage> {
  const { url, rules, signal, idleMs = 30_000, method = 'GET', headers = {}, body } = request
  const place = placeOf(url)
  checkPlace(rules, place)
  const options: RequestOptions = {
    method,
    signal,
    agent: false,
    headers: {
      'user-agent': 'imago',
      ...headers,
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
    },
    lookup: lookupWithin(rules, place),
    maxHeaderSize: 16 * 1024,
  }
  return await new Promise((resolved, rejected) => {
    const call = (url.protocol === 'https:' ? overHttps : overHttp)(url, options)
    call.setTimeout(idleMs, () => call.destroy(new Error(`nothing came for ${idleMs / 1000} s`)))
    call.on('response', resolved)
    call.on('error', rejected)
    call.end(body)
  })
}

interface Place {
  readonly host: string
  readonly port: number
}

function placeOf(url: URL): Place {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new OutboundRefused(`Cannot call ${url.protocol} as only https and http can be called.`)
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { host, port: Number(url.port || (url.protocol === 'https:' ? 443 : 80)) }
}

/** Refuses at once what cannot be allowed wherever its name leads. */
function checkPlace(rules: OutboundRules, place: Place): void {
  const { host } = place
  if (isIP(host) !== 0) {
    // No name is looked up, so this is the one place where it is decided.
    if (!mayConnect(rules, { ...place, address: host })) throw refused(place)
  } else if (!rules.isPublicAllowed && !couldBeListed(rules, place)) throw refused(place)
}

/** A network may be listed that the name turns out to be in. */
const couldBeListed = (rules: OutboundRules, place: Place): boolean =>
  isListed(rules, place) || rules.listed.some((one) => 'network' in one)

/** Whether a caller may name this URL at all: what a call can be refused for before anything is looked up. */
export function checkUrl(rules: OutboundRules, url: URL): void {
  checkPlace(rules, placeOf(url))
}

/** Whether the operator has listed just this host. */
export const isListedUrl = (rules: OutboundRules, url: URL): boolean => {
  const place = placeOf(url)
  const address = isIP(place.host) === 0 ? {} : { address: place.host }
  return isListed(rules, { ...place, ...address })
}

const refused = ({ host, port }: Place): OutboundRefused =>
  new OutboundRefused(
    `Cannot call ${host} on port ${port} as this installation calls public addresses and those ` +
      `that IMAGO_OUTBOUND_HOSTS lists alone.`,
  )

/** Of all addresses that a name has, the ones that may be called: none of the others is tried. */
function lookupWithin(rules: OutboundRules, place: Place): LookupFunction {
  return (host, options, answer) => {
    resolve(host, { ...options, all: true }, (error, found) => {
      if (error) return answer(error, [])
      const allowed = found.filter(({ address }) => mayConnect(rules, { ...place, address }))
      const [first] = allowed
      if (!first) return answer(refused(place), [])
      if (options.all) answer(null, allowed)
      else answer(null, first.address, first.family)
    })
  }
}
