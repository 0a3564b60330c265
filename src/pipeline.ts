/** The way of a request, from its bytes to the answer, told once from top to bottom. */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { actions } from './actions.ts'
import { authorise } from './authorise.ts'
import type { AuditEvent } from './audit/event.ts'
import type { AuditLog } from './audit/log.ts'
import { resourcesIn } from './audit/resources.ts'
import { ownersOf } from './audit/shared-use.ts'
import { type Connections, type Database, isDiskFull, type Tx, transaction } from './db/database.ts'
import type { Reserve } from './db/reserve.ts'
import type { SharedTransactions } from './db/shared-transactions.ts'
import type { EventFeed } from './events/feed.ts'
import { claimToken, keepAnswer } from './client-tokens/store.ts'
import { type Caller, Refused } from './iam/evaluate.ts'
import { findCredentials } from './iam/credentials.ts'
import { noteUse } from './iam/note-use.ts'
import { keysOfCall } from './iam/request-keys.ts'
import { ApiError } from './lib/errors.ts'
import { formatId } from './lib/ids.ts'
import type { Log } from './lib/log.ts'
import { encodeRefusal } from './policies/refusal.ts'
import { addressee, isServiceName, type Service, type Services } from './wire/codec.ts'
import type { Contents } from './wire/contents.ts'
import type { CallContext, Operation, WriteCall, WriteOperation } from './wire/operation.ts'
import type { RateLimiter } from './wire/rate-limiter.ts'
import type { Readers } from './wire/readers.ts'
import type { HttpRequest, HttpResponse } from './wire/request.ts'
import { type Reply, textOf } from './wire/service.ts'
import { parseSignature, verifySignature } from './wire/sigv4.ts'

export interface System {
  readonly services: Services
  readonly db: Connections
  readonly regions: readonly string[]
  readonly readers: Readers
  readonly contents: Contents
  /** For calls that come in great numbers. */
  readonly sharedWrites: SharedTransactions
  readonly reserve: Pick<Reserve, 'release'>
  readonly audit: AuditLog
  readonly limiter: RateLimiter
  /** Told when there are new events. */
  readonly feed: EventFeed
  readonly now: () => Date
  readonly randomBytes: (count: number) => Uint8Array
  readonly newRequestId: () => string
  readonly log: Log
  /** Called when a call has changed something: there may be something to reconcile. */
  readonly changed: () => void
}

/** Who called, where, and which of the services. */
export interface Signed {
  readonly caller: Caller
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
}

/** How long a call waits for what has to begin before it answers. */
const answerAfterMsMax = 10_000

export async function answer(request: HttpRequest, system: System): Promise<HttpResponse> {
  const requestId = system.newRequestId()
  const now = system.now()
  let service = system.services[addressee(request)]
  let signed: Signed | undefined
  let action = ''
  let given: Input | undefined
  let isReadOnly = false

  const eventOf = (outcome: string, message?: string, output?: unknown): AuditEvent => ({
    ...whoAsked(request, signed),
    requestId,
    at: now,
    service: service.name,
    action,
    isReadOnly,
    outcome,
    message,
    parameters: given && service.redact(action, given),
    resources: resourcesIn(given, output),
  })

  try {
    signed = await authenticate(request, system, now)
    system.limiter.take(signed.accessKeyId, performance.now())
    service = serviceOf(signed, system)
    const asked = service.read(request)
    action = asked.action
    const input = asked.decode() as Input
    given = input
    const operation = findOperation(service, action)
    isReadOnly = operation.kind === 'read'
    const { caller, region } = signed
    const { regions, readers } = system
    const context: CallContext = { caller, region, regions, requestId, now, readers }
    const allow = (at: Database) => authorise(operation, input, { ...context, db: at })

    let reply: Reply
    if (operation.kind === 'read') {
      const found = await transaction(system.db.reads, async (db) => {
        await allow(db)
        refuseDryRun(input)
        return await operation.run({ ...context, input, db })
      })
      const output = operation.fetch ? await operation.fetch(found, context) : found
      reply = service.encode(action, requestId, output)
      const event = eventOf('Success')
      const isOfOthers = service.name === 'ebs' || action === 'AssumeRole'
      system.audit.add(event, isOfOthers ? await ownersFor(system.db.reads, caller, event) : [])
    } else {
      if (operation.prepare) {
        await allow(system.db.reads)
        refuseDryRun(input)
      }
      const { db, contents } = system
      const prepared: unknown = await operation.prepare?.(input, {
        ...context,
        db: db.reads,
        contents,
      })
      using _held = isDisposable(prepared) ? prepared : undefined
      const { sharedWrites } = system
      const inTransaction = <T>(work: (tx: Tx) => Promise<T>) =>
        operation.sharesTransaction ? sharedWrites.run(work) : transaction(db.writes, work)
      const record = () =>
        inTransaction(async (tx) => {
          await allow(tx)
          refuseDryRun(input)
          const begun = { tx, prepared: prepared as void }
          const done = await write(operation, service, input, context, begun, system)
          const event = eventOf('Success', undefined, done.output)
          await system.audit.record(tx, event, await ownersFor(tx, caller, event))
          return done
        })
      const { reply: written, output } = await record().catch(async (error: unknown) => {
        if (!operation.makesRoom || !isDiskFull(error)) throw error
        await system.reserve.release()
        return await record()
      })
      reply = written
      if (!operation.owesNothing) system.changed()
      if (output !== undefined) await untilBegun(operation, output, system)
    }
    return service.respond(action, requestId, reply)
  } catch (error) {
    const shown = shownError(error)
    if (shown !== error) system.log.error('a call failed', { requestId, action, error })
    system.audit.add(eventOf(shown.code, shown.message))
    return service.refuse(requestId, inWordsFor(service, shown, signed, system))
  }
}

/** Who asked, from where, as far as it is known. */
export function whoAsked(request: HttpRequest, signed: Signed | undefined) {
  const { accountId, arn, userId } = signed?.caller ?? {}
  const claimed = /Credential=([\w]{3,128})\//.exec(request.headers['authorization'] ?? '')?.[1]
  return {
    region: signed?.region,
    principal:
      signed && accountId && arn && userId
        ? { accountId, arn, userId, accessKeyId: signed.accessKeyId }
        : undefined,
    claimedKeyId: signed ? undefined : claimed,
    sourceAddress: request.sourceAddress,
    userAgent: request.headers['user-agent'],
  }
}

const ownersFor = (db: Database, caller: Caller, event: AuditEvent) =>
  ownersOf(db, caller.accountId, event)

/** What policies refuse is told with all that led to it, sealed for whoever may open it. */
function inWordsFor(
  { name }: Service,
  shown: ApiError,
  signed: Signed | undefined,
  { readers }: System,
): ApiError {
  if (name !== 'ec2' || !signed || !(shown instanceof Refused)) return shown
  const { question, refusal, keyNames, message } = shown
  const caller = { ...signed.caller, keyNames }
  const encoded = encodeRefusal(question, refusal, caller, readers.masterKey)
  return new ApiError(
    shown.code,
    `You are not authorized to perform this operation. ${message}. ` +
      `Encoded authorization failure message: ${encoded}`,
  )
}

/** What the caller is told of an error. */
export function shownError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (!isDiskFull(error)) return new ApiError('InternalError', 'An internal error has occurred')
  return new ApiError(
    'Unavailable',
    'The disk of the data folder is full. Make room on it, and try again.',
  )
}

/** Who signed `request`. An error of authentication wins over every other. */
export async function authenticate(
  request: HttpRequest,
  system: System,
  now: Date,
): Promise<Signed> {
  const signature = parseSignature(request)
  const { db, readers } = system
  const found = await findCredentials(db.reads, signature, { sealer: readers.masterKey, now })
  verifySignature(request, signature, found.secret.reveal(), now)
  const { region, service } = signature
  // What is in no Region is signed for this one, unless a client has an endpoint of its own.
  const isGlobal = service === 'iam' && region === 'us-east-1'
  if (!isGlobal && !system.regions.includes(region)) {
    throw new ApiError(
      'AuthFailure',
      `Credential should be scoped to a valid region. ` +
        `${region} is not one of this installation: ${system.regions.join(', ')}`,
    )
  }
  await noteUse(system, found, { at: now, service, region })
  const { holder, issuedAt: tokenIssuedAt } = found
  const { principal, userId } = holder
  const keysOfAll = keysOfCall({
    principal,
    userId,
    principalTags: await found.findTags(),
    tokenIssuedAt,
    region,
    now,
    // An address of IPv4 may be written as one of IPv6.
    sourceIp: (request.sourceAddress ?? '').replace(/^::ffff:/, ''),
    userAgent: request.headers['user-agent'] ?? '',
    isTls: request.isTls ?? false,
    vpcId: request.vpcId,
  })
  const keys = { ...keysOfAll, ...found.keys }
  const caller = { ...holder, keys, policies: await found.findPolicies() }
  return { caller, accessKeyId: found.keyId, region, service }
}

type Input = { readonly DryRun?: boolean; readonly ClientToken?: string } & Record<string, unknown>

function serviceOf({ service }: Signed, { services }: System): Service {
  if (isServiceName(service)) return services[service]
  throw new ApiError(
    'SignatureDoesNotMatch',
    `Credential should be scoped to correct service: 'ec2'. It is scoped to '${service}'.`,
  )
}

function findOperation(service: Service, action: string): Operation {
  const found = actions.get(`${service.name}:${action}`)
  if (found) return found
  throw new ApiError('UnsupportedOperation', `The operation ${action} is not supported by Imago.`)
}

function refuseDryRun(input: Input): void {
  if (!input.DryRun) return
  throw new ApiError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.')
}

/** Runs a call that changes something, or finds the answer that the same call has had before. */
async function write(
  operation: WriteOperation,
  service: Service,
  input: Input,
  context: CallContext,
  { tx, prepared }: { readonly tx: Tx; readonly prepared: void },
  system: System,
): Promise<{ reply: Reply; output?: unknown }> {
  const { requestId, now, caller, region } = context
  const token = input.ClientToken && {
    accountId: caller.accountId,
    region,
    action: operation.action,
    token: input.ClientToken,
  }
  if (token) {
    const earlier = await claimToken(tx, token, digestOfParameters(input), now)
    if (earlier !== undefined) return { reply: earlier.replaceAll(requestIdMark, requestId) }
  }
  const call: WriteCall<unknown> = {
    ...context,
    input,
    tx,
    newId: (kind) => formatId(kind, system.randomBytes(9)),
    randomBytes: system.randomBytes,
  }
  const output = await operation.run(call, prepared)
  // The answer is kept with a mark where each reply says its own request id.
  const { action } = operation
  if (token) {
    await keepAnswer(tx, token, textOf(service.encode(action, requestIdMark, output)))
  }
  return { reply: service.encode(action, requestId, output), output }
}

const isDisposable = (value: unknown): value is Disposable =>
  typeof value === 'object' && value !== null && Symbol.dispose in value

const requestIdMark = '00000000-request-id-of-this-reply-00000000'

/** Names the parameters of a call, whatever order they came in. */
function digestOfParameters({ ClientToken: _token, ...parameters }: Input): string {
  const sorted = (value: unknown): unknown => {
    if (value instanceof Date || value instanceof Uint8Array) return value
    if (Array.isArray(value)) return value.map(sorted)
    if (value === null || typeof value !== 'object') return value
    const entries = Object.entries(value).map(([name, child]) => [name, sorted(child)] as const)
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  }
  return createHash('sha256')
    .update(JSON.stringify(sorted(parameters)))
    .digest('hex')
}

/** Waits until the effect of a call has begun, where AWS promises so (see `answerAfter`). */
async function untilBegun(operation: Operation, output: unknown, system: System): Promise<void> {
  if (!operation.answerAfter) return
  const deadline = performance.now() + answerAfterMsMax
  for (let waitMs = 2; performance.now() < deadline; waitMs = Math.min(waitMs * 2, 50)) {
    if (await operation.answerAfter(system.db.reads, output)) return
    await sleep(waitMs)
  }
}
