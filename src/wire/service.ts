/**
 * A service of AWS at the wire: which actions it has, what they are given and
 * what they answer, whatever its protocol. It knows nothing of what they do.
 */
import assert from 'node:assert/strict'
import type { ApiError } from '../lib/errors.ts'
import type { Input } from './decode.ts'
import type { HttpRequest, HttpResponse } from './request.ts'

/** What a request asks for. */
export interface Asked {
  readonly action: string
  /**
   * The input of the action, named as the SDK names it. Refuses an action that is
   * not known, and an input that does not fit its shape.
   */
  decode(): Input
}

/** The body of an answer; restJson1 may have headers that go with it. */
export type Reply =
  | string
  | {
      readonly headers: Readonly<Record<string, string>>
      readonly body: string | Uint8Array
    }

/** An answer that is only a body: those of most protocols, and all that are kept. */
export function textOf(reply: Reply): string {
  assert(typeof reply === 'string', 'this answer has headers of its own')
  return reply
}

/** What the protocols do each in their own way. */
export interface Protocol {
  /** What a request asks for, whether there is such an action or not. */
  read(request: HttpRequest): Asked
  /** The body that answers `action`. Members that are undefined are left out. */
  encode(action: string, requestId: string, output: unknown): Reply
  /** The whole answer around a body. */
  respond(action: string, requestId: string, reply: Reply): HttpResponse
  /** The answer to a call that was refused, or that failed. */
  refuse(requestId: string, error: ApiError): HttpResponse
}

export interface Service<Name extends string = string> extends Protocol {
  readonly name: Name
  readonly version: string
  /** Every action that the service of AWS has, whether it is built or not. */
  readonly actions: readonly string[]
  has(action: string): boolean
  /** The member of the input that makes a repeated call the same call, such as `ClientToken`. */
  idempotencyMember(action: string): string | undefined
  /** A copy of an input without what is secret in it. */
  redact(action: string, input: Input): Input
}
