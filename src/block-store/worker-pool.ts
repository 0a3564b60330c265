/**
 * A few threads for the work that costs CPU time. They are started when there
 * is work and ended when there has been none for a while, so that an idle
 * service is small. Without threads (`size` 0) the work is done right here.
 */
import assert from 'node:assert/strict'
import { getCompileCacheDir } from 'node:module'
import { dirname } from 'node:path'
import { Worker, type WorkerOptions } from 'node:worker_threads'
import { type TaskInput, type TaskName, type TaskOutput, tasks } from './tasks.ts'
import type { Job, Outcome } from './worker.ts'

interface Waiting {
  readonly job: Omit<Job, 'id'>
  readonly resolve: (output: unknown) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** What it has been sent; two at a time, so that it never waits for us. */
  readonly jobs: Map<number, Waiting>
}

const jobsPerThread = 2
/** Somebody waits for the one block. */
const urgent: TaskName = 'unpack'
const idleMs = 5000

export class WorkerPool {
  readonly #size: number
  readonly #threads = new Set<Thread>()
  readonly #queue: Waiting[] = []
  #lastId = 0
  #idle: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(size: number) {
    this.#size = size
  }

  /** How many tasks a caller should have under way to keep all threads busy. */
  get lanes(): number {
    return Math.max(1, this.#size * jobsPerThread)
  }

  get isStarted(): boolean {
    return this.#threads.size > 0
  }

  /** Does a task. The buffers in its input are handed over and gone for the caller. */
  async run<N extends TaskName>(name: N, input: TaskInput<N>): Promise<TaskOutput<N>> {
    assert(!this.#isClosed, 'the block store is closed')
    if (this.#size === 0) {
      const task = tasks[name] as (input: TaskInput<N>) => TaskOutput<N>
      return task(input)
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const waiting = { job: { name, input }, resolve, reject }
    const after = name === urgent ? this.#queue.findIndex(({ job }) => job.name !== urgent) : -1
    this.#queue.splice(after < 0 ? this.#queue.length : after, 0, waiting)
    this.#dispatch()
    return (await promise) as TaskOutput<N>
  }

  /** Starts the threads, which takes a moment, before there is work for them. */
  warmUp(): void {
    while (!this.#isClosed && this.#threads.size < this.#size) this.#startThread().worker.unref()
    this.#dispatch()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idle)
    for (const waiting of this.#queue.splice(0)) waiting.reject(closed())
    await Promise.all([...this.#threads].map(({ worker }) => worker.terminate()))
  }

  #dispatch(): void {
    clearTimeout(this.#idle)
    for (;;) {
      if (this.#queue.length === 0) break
      const thread = this.#freeThread()
      if (!thread) break
      const waiting = this.#queue.shift()
      if (waiting) this.#send(thread, waiting)
    }
    if ([...this.#threads].some(({ jobs }) => jobs.size > 0)) return
    this.#idle = setTimeout(() => this.#endThreads(), idleMs).unref()
  }

  /** The thread with the least to do; a new one where all are busy and there may be more. */
  #freeThread(): Thread | undefined {
    const [least] = [...this.#threads].sort((a, b) => a.jobs.size - b.jobs.size)
    if (least?.jobs.size === 0) return least
    if (this.#threads.size < this.#size) return this.#startThread()
    return least && least.jobs.size < jobsPerThread ? least : undefined
  }

  #startThread(): Thread {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), compiled())
    const thread: Thread = { worker, jobs: new Map() }
    this.#threads.add(thread)
    worker.on('message', (outcome: Outcome) => {
      const waiting = thread.jobs.get(outcome.id)
      thread.jobs.delete(outcome.id)
      if (thread.jobs.size === 0) worker.unref()
      this.#dispatch()
      if ('error' in outcome) waiting?.reject(withCode(outcome))
      else waiting?.resolve(outcome.output)
    })
    worker.on('error', (error) => this.#lose(thread, error))
    worker.on('exit', () => this.#lose(thread, closed()))
    return thread
  }

  #send(thread: Thread, waiting: Waiting): void {
    const id = ++this.#lastId
    const { name, input } = waiting.job
    const buffers = Object.values(input).flatMap((value: unknown) =>
      value instanceof ArrayBuffer ? [value] : bufferOf(value),
    )
    thread.jobs.set(id, waiting)
    thread.worker.ref()
    try {
      thread.worker.postMessage({ id, name, input } satisfies Job, buffers)
    } catch (error) {
      thread.jobs.delete(id)
      waiting.reject(error)
    }
  }

  #lose(thread: Thread, error: unknown): void {
    this.#threads.delete(thread)
    for (const waiting of thread.jobs.values()) waiting.reject(error)
    thread.jobs.clear()
    if (!this.#isClosed) this.#dispatch()
  }

  #endThreads(): void {
    const ended = [...this.#threads].map(({ worker }) => worker.terminate())
    this.#threads.clear()
    // The memory that was shared with them is large, and comes back with a collection of all
    // garbage alone, for which an idle program has no reason of its own.
    void Promise.all(ended).then(() => globalThis.gc?.())
  }
}

/** Where the program keeps its code compiled, a thread takes it from there: half the time and memory. */
function compiled(): WorkerOptions {
  const cache = getCompileCacheDir()
  return cache === undefined ? {} : { env: { NODE_COMPILE_CACHE: dirname(cache) } }
}

const bufferOf = (value: unknown): readonly ArrayBuffer[] =>
  value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : []

const closed = () => new Error('The block store was closed before the work was done')

function withCode({ error, code }: { readonly error: unknown; readonly code: unknown }): unknown {
  return error instanceof Error && code !== undefined ? Object.assign(error, { code }) : error
}
