/** `imago events`: has events sent to a URL, or prints them as they come. */
import { setTimeout as wait } from 'node:timers/promises'
import { matches, parsePattern, type Pattern } from '../../events/pattern.ts'
import { messageOf } from '../../lib/message-of.ts'
import { CommandFailed } from '../failure.ts'
import { callImago, type Fields } from '../imago-client.ts'
import { type Access, readInstallation } from '../installation.ts'
import { say, type Shell } from '../shell.ts'
import { open } from '../signed-request.ts'

const path = '/imago/v1/event-subscriptions'
const reconnectMs = 1000

export interface PatternOptions {
  readonly pattern?: string
}

export interface TailOptions extends PatternOptions {
  readonly all?: true
}

export async function subscribe(
  shell: Shell,
  url: string,
  { pattern }: PatternOptions,
): Promise<void> {
  const { access } = readInstallation(shell)
  const body = { url, ...(pattern !== undefined && { pattern: parseJson(pattern) }) }
  const made = await callImago(access, 'POST', path, body)
  say(shell, `${text(made, 'id')}  ${text(made, 'url')}`)
  say(
    shell,
    `The secret that deliveries are signed with is shown this once: ${text(made, 'secret')}`,
  )
}

export async function listSubscriptions(shell: Shell): Promise<void> {
  const { access } = readInstallation(shell)
  const { subscriptions } = await callImago(access, 'GET', path)
  for (const one of Array.isArray(subscriptions) ? (subscriptions as readonly Fields[]) : []) {
    const pattern = one['pattern'] === undefined ? 'all events' : JSON.stringify(one['pattern'])
    say(shell, `${text(one, 'id')}  ${text(one, 'url')}  ${pattern}`)
    const last = one['deliveredAt'] === undefined ? 'never' : text(one, 'deliveredAt')
    say(
      shell,
      `  last delivered ${last}, ${text(one, 'waiting')} waiting, ${text(one, 'dead')} given up`,
    )
    if (one['lastFailure'] !== undefined) say(shell, `  last failure: ${text(one, 'lastFailure')}`)
  }
}

export async function unsubscribe(shell: Shell, id: string): Promise<void> {
  const { access } = readInstallation(shell)
  await callImago(access, 'DELETE', `${path}/${encodeURIComponent(id)}`)
}

/** Until it is interrupted; a stream that breaks off goes on where it was. */
export async function tail(shell: Shell, { pattern, all }: TailOptions): Promise<void> {
  const { access } = readInstallation(shell)
  const selects = pattern === undefined ? undefined : readPattern(pattern)
  const end = new AbortController()
  using _interrupted = shell.onInterrupt(() => end.abort())
  let position = all ? '0' : undefined
  let wasOpen = false
  while (!end.signal.aborted) {
    try {
      for await (const { id, data } of streamOf(access, position, end.signal)) {
        wasOpen = true
        position = id ?? position
        if (data !== undefined && isWanted(data, selects)) say(shell, data)
      }
    } catch (error) {
      if (end.signal.aborted) return
      // Who has never got in is told why; who was in comes back.
      if (!wasOpen) throw error
    }
    await wait(reconnectMs, undefined, { signal: end.signal }).catch(() => {})
  }
}

interface Message {
  readonly id: string | undefined
  readonly data: string | undefined
}

async function* streamOf(
  access: Access,
  position: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Message> {
  const response = await open(
    access,
    {
      service: 'imago',
      method: 'GET',
      path: '/imago/v1/events',
      contentType: 'application/json',
      body: '',
      headers: position === undefined ? {} : { 'last-event-id': position },
    },
    signal,
  )
  if (response.status !== 200 || !response.body) {
    throw new CommandFailed(`The service answered ${response.status}: ${await response.text()}`)
  }
  let rest = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const messages = (rest + chunk).split('\n\n')
    rest = messages.pop() ?? ''
    for (const message of messages) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1]
      yield { id: field('id'), data: field('data') }
    }
  }
}

function isWanted(data: string, selects: Pattern | undefined): boolean {
  if (!selects) return true
  const event: unknown = JSON.parse(data)
  return typeof event === 'object' && event !== null && matches(selects, event)
}

function readPattern(given: string): Pattern {
  const pattern = parseJson(given)
  try {
    return parsePattern(pattern)
  } catch (error) {
    throw new CommandFailed(messageOf(error))
  }
}

function parseJson(given: string): unknown {
  try {
    return JSON.parse(given) as unknown
  } catch {
    throw new CommandFailed(`The pattern is not JSON: ${given.slice(0, 200)}`)
  }
}

function text(fields: Fields, name: string): string {
  const value = fields[name]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
