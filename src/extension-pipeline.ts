/** The way of a call of our own API: the same as in `pipeline.ts`, with JSON at both ends. */
import type { AuditEvent } from './audit/event.ts'
import { resourcesIn } from './audit/resources.ts'
import { transaction } from './db/database.ts'
import { requireAllowed } from './iam/evaluate.ts'
import { ApiError } from './lib/errors.ts'
import { parseJson } from './lib/json.ts'
import { formatId } from './lib/ids.ts'
import { authenticate, shownError, type Signed, type System, whoAsked } from './pipeline.ts'
import type { Extension } from './wire/extension.ts'
import type { HttpRequest, HttpResponse } from './wire/request.ts'

export async function answerExtension(
  extension: Extension,
  request: HttpRequest,
  path: Readonly<Record<string, string>>,
  system: System,
): Promise<HttpResponse> {
  const requestId = system.newRequestId()
  const now = system.now()
  const { action } = extension
  let signed: Signed | undefined
  let given: unknown
  const eventOf = (outcome: string, message?: string, output?: unknown): AuditEvent => ({
    ...whoAsked(request, signed),
    requestId,
    at: now,
    service: 'imago',
    action,
    isReadOnly: extension.kind === 'read',
    outcome,
    message,
    parameters: given,
    resources: resourcesIn(given, output),
  })
  try {
    signed = await authenticate(request, system, now)
    system.limiter.take(signed.accessKeyId, performance.now())
    const { caller, region, service } = signed
    if (service !== 'imago') {
      throw new ApiError('SignatureDoesNotMatch', "Credential should be scoped to service 'imago'.")
    }
    requireAllowed(caller, { action: `imago:${action}`, resource: '*' })
    const { regions, readers, randomBytes } = system
    const input = { body: parseBody(request.body), path }
    given = input
    const context = { caller, region, regions, requestId, now, readers, input }
    let output: object
    if (extension.kind === 'read') {
      output = await transaction(system.db.reads, (db) => extension.run({ ...context, db }))
      system.audit.add(eventOf('Success'))
    } else {
      output = await transaction(system.db.writes, async (tx) => {
        const done = await extension.run({
          ...context,
          tx,
          newId: (kind) => formatId(kind, randomBytes(9)),
          randomBytes,
        })
        await system.audit.record(tx, eventOf('Success', undefined, done))
        return done
      })
      system.changed()
    }
    return jsonResponse(200, requestId, output)
  } catch (error) {
    const shown = shownError(error)
    if (shown !== error) system.log.error('a call failed', { requestId, action, error })
    system.audit.add(eventOf(shown.code, shown.message))
    return jsonResponse(shown.status, requestId, { code: shown.code, message: shown.message })
  }
}

function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  try {
    return parseJson(Buffer.from(body).toString())
  } catch {
    throw new ApiError('MalformedQueryString', 'The body is not JSON.')
  }
}

function jsonResponse(status: number, requestId: string, body: object): HttpResponse {
  const headers = { 'content-type': 'application/json', 'x-amzn-requestid': requestId }
  return { status, headers, body: JSON.stringify(body) }
}
