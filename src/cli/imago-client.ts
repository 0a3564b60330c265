/** A client of our own API: JSON in and out. */
import { CommandFailed } from './failure.ts'
import type { Access } from './installation.ts'
import { send } from './signed-request.ts'

export type Fields = Readonly<Record<string, unknown>>

export async function callImago(
  access: Access,
  method: 'GET' | 'POST' | 'DELETE',
  path: string,
  body?: object,
): Promise<Fields> {
  const { status, text } = await send(access, {
    service: 'imago',
    method,
    path,
    contentType: 'application/json',
    body: body === undefined ? '' : JSON.stringify(body),
  })
  const answer = parse(text)
  if (status === 200) return answer
  const { code, message } = answer
  const isOurs = typeof code === 'string' && typeof message === 'string'
  throw new CommandFailed(
    isOurs ? `${code}: ${message}` : `The service answered ${status}: ${text}`,
  )
}

function parse(text: string): Fields {
  try {
    const read: unknown = JSON.parse(text)
    return read !== null && typeof read === 'object' ? { ...read } : {}
  } catch {
    return {}
  }
}
