/**
 * An operation: one action of the API, declared in one place. What the rest of
 * the system knows of an action (decoding, authorising, auditing, `DryRun`,
 * idempotency, the tests of every action) it learns from here.
 */
import type { Database, Tx } from '../db/database.ts'
import type { Demand } from '../iam/demand.ts'
import type { Caller } from '../iam/evaluate.ts'
import type { Id, Kind } from '../lib/ids.ts'
import type { ServiceName } from './codec.ts'
import type { Contents } from './contents.ts'
import type { Readers } from './readers.ts'

/** What every call has, whether it changes something or not. */
export interface CallContext {
  readonly caller: Caller
  /** The Region of the signature: where the call happens. */
  readonly region: string
  /** All Regions of this installation. */
  readonly regions: readonly string[]
  readonly requestId: string
  readonly now: Date
  /** What a call may look at beside the database. Nothing here can change anything. */
  readonly readers: Readers
}

/** What a call's demands are found with: the database as the call itself finds it. */
export interface DemandContext extends CallContext {
  readonly db: Database
}

/** What a call has before its transaction begins: what it reads may be otherwise by then. */
export interface PrepareContext extends CallContext {
  readonly db: Database
  readonly contents: Contents
}

/** A call that only describes. It sees one state of the database from beginning to end. */
export interface ReadCall<Input> extends CallContext {
  readonly input: Input
  readonly db: Database
}

/** A call that records what shall be. It has no effect outside of `tx`. */
export interface WriteCall<Input> extends CallContext {
  readonly input: Input
  /** The one transaction that this call runs in: it commits when `run` returns. */
  readonly tx: Tx
  readonly newId: <K extends Kind>(kind: K) => Id<K>
  readonly randomBytes: (count: number) => Uint8Array
}

interface Declaration<Input, Output> {
  /** `ec2` where nothing is said. */
  readonly service?: ServiceName
  readonly action: string
  /**
   * What the caller needs to be allowed: each action, on each resource that the call
   * touches, as it is in the call's own transaction. What is not there is demanded by the
   * ARN that it would have. Where nothing is said: the action of that name on `*`.
   */
  readonly demands?: (
    input: Input,
    context: DemandContext,
  ) => readonly Demand[] | Promise<readonly Demand[]>
  /**
   * For a call whose effect must have begun before it answers (AWS: a snapshot's
   * point in time is the moment of the call). Tells whether it has; the pipeline
   * wakes the reconcilers and asks again, for a while.
   */
  readonly answerAfter?: (db: Database, output: Output) => Promise<boolean>
}

export interface ReadOperation<
  Input = unknown,
  Output = unknown,
  Found = Output,
> extends Declaration<Input, Output> {
  readonly kind: 'read'
  run(call: ReadCall<Input>): Promise<Found>
  /**
   * Reads what `run` has found, where that is not in the database and takes a while: its
   * transaction is over by then, as other calls wait for that.
   */
  readonly fetch?: (found: Found, context: CallContext) => Promise<Output>
}

export interface WriteOperation<
  Input = unknown,
  Output = unknown,
  Prepared = void,
> extends Declaration<Input, Output> {
  readonly kind: 'write'
  /**
   * For what takes long and changes nothing, such as making a key: it is done
   * before the transaction begins, for which all other writers wait. The caller
   * is known to be allowed, and it is no dry run. Nothing is known of the
   * database, so `run` may refuse the call after all. What can be disposed of is
   * disposed of when the call is over.
   */
  readonly prepare?: (input: Input, context: PrepareContext) => Promise<Prepared>
  /** There is nothing to reconcile after it: no reconciler is woken. */
  readonly owesNothing?: true
  /** It makes room on disks: what it records goes into the reserve where there is none. */
  readonly makesRoom?: true
  /** It is called in great numbers: calls at the same time share one transaction. */
  readonly sharesTransaction?: true
  run(call: WriteCall<Input>, prepared: Prepared): Promise<Output>
}

export type Operation = ReadOperation | WriteOperation

/** Declares an operation that changes nothing. */
export function readOperation<Input, Output, Found = Output>(
  declaration: Omit<ReadOperation<Input, Output, Found>, 'kind'>,
): Operation {
  return { kind: 'read', ...declaration } as unknown as Operation
}

/** Declares an operation that records what shall be. */
export function writeOperation<Input, Output, Prepared = void>(
  declaration: Omit<WriteOperation<Input, Output, Prepared>, 'kind'>,
): Operation {
  return { kind: 'write', ...declaration } as unknown as Operation
}
