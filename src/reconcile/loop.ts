/**
 * The loop that makes true what the database says.
 *
 * A reconciler looks at the database, and does what is missing. It is told
 * which resource to look at, never what has changed: so there is one way to do
 * each thing, and it is the same after a request, after a crash, and on the
 * hundredth try. A step that takes minutes never delays another resource's.
 */

/** `moved`: something changed, look again at once. `waiting`: nothing to do for now. */
export type StepOutcome = 'moved' | 'waiting'

export interface Reconciler<Key extends string = string> {
  readonly name: string
  readonly stepsAtOnceMax: number
  /** The resources that have something owed to them. */
  due(): Promise<readonly Key[]>
  /** Does what is owed to one of them. Must be safe to run again, from any point. */
  step(key: Key): Promise<StepOutcome>
  /**
   * Called when a step has failed for good: `triesMax` times in a row, or so that no other
   * try would help. Makes of it a state that the caller sees.
   */
  giveUp?(key: Key, error: unknown): Promise<void>
}

export interface LoopOptions {
  /** How often to look without being told. */
  readonly scanEveryMs: number
  /** How many failures in a row lead to `giveUp`. */
  readonly triesMax: number
  /** The wait before the second try; it doubles with each one. */
  readonly retryAfterMs: number
  /** Whether an error is of a kind that no other try would change. */
  readonly isFinal?: (error: unknown) => boolean
  readonly onError: (where: string, error: unknown) => void
}

interface Failures {
  readonly count: number
  /** No try before this time, in milliseconds of the monotonic clock. */
  readonly notBefore: number
}

export class Loop {
  readonly #reconcilers: readonly Reconciler[]
  readonly #options: LoopOptions
  /** One lane for each resource: two steps of one resource never overlap. */
  readonly #underWay = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, Failures>()
  /** Resources that something was noticed of, due or not. */
  readonly #noted = new Map<string, Set<string>>()
  /** Reconcilers that had more to do than `stepsAtOnceMax` at the last scan. */
  readonly #crowded = new Set<string>()
  #wake = () => {}
  #isAwake = false
  #isStopping = false
  #running: Promise<void> | undefined

  constructor(reconcilers: readonly Reconciler[], options: LoopOptions) {
    this.#reconcilers = reconcilers
    this.#options = options
  }

  /** Starts to scan: from time to time, and whenever it is woken, until it is stopped. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Tells that something has changed, and there may be work. */
  wake(): void {
    this.#isAwake = true
    this.#wake()
  }

  /** Has one resource looked at, though nothing may be due by the database: something was seen. */
  note(reconciler: string, key: string): void {
    const keys = this.#noted.get(reconciler) ?? new Set<string>()
    this.#noted.set(reconciler, keys.add(key))
    this.wake()
  }

  /** Stops to scan, and returns when the steps under way are done. */
  async stop(): Promise<void> {
    this.#isStopping = true
    this.#wake()
    await this.#running
    await Promise.all(this.#underWay.values())
  }

  async #run(): Promise<void> {
    while (!this.#isStopping) {
      this.#isAwake = false
      await Promise.all(this.#reconcilers.map((reconciler) => this.#scan(reconciler)))
      if (this.#isAwake || this.#isStopping) continue
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, this.#options.scanEveryMs)
      await woken
      clearTimeout(timer)
    }
  }

  /** Starts a step for each resource that is due, and does not wait for them. */
  async #scan(reconciler: Reconciler): Promise<void> {
    const noted = this.#noted.get(reconciler.name) ?? new Set<string>()
    this.#noted.delete(reconciler.name)
    let due: readonly string[] = []
    try {
      due = await reconciler.due()
    } catch (error) {
      this.#options.onError(reconciler.name, error)
    }
    this.#crowded.delete(reconciler.name)
    let room = reconciler.stepsAtOnceMax - this.#countUnderWay(reconciler.name)
    for (const key of new Set([...noted, ...due])) {
      const lane = `${reconciler.name}/${key}`
      const isBusy = this.#underWay.has(lane)
      if (room <= 0 || isBusy) {
        // What was noted during a step, or finds no room, is looked at after it.
        if (room <= 0) this.#crowded.add(reconciler.name)
        if (noted.has(key)) this.#keepNoted(reconciler.name, key)
        continue
      }
      if ((this.#failures.get(lane)?.notBefore ?? 0) > performance.now()) continue
      room--
      const step = this.#step(reconciler, key, lane).finally(() => this.#underWay.delete(lane))
      this.#underWay.set(lane, step)
    }
  }

  async #step(reconciler: Reconciler, key: string, lane: string): Promise<void> {
    try {
      const outcome = await reconciler.step(key)
      this.#failures.delete(lane)
      const isNoted = this.#noted.get(reconciler.name)?.has(key)
      if (outcome === 'moved' || isNoted || this.#crowded.has(reconciler.name)) {
        setImmediate(() => this.wake())
      }
    } catch (error) {
      this.#options.onError(lane, error)
      await this.#fail(reconciler, key, lane, error)
    }
  }

  async #fail(reconciler: Reconciler, key: string, lane: string, error: unknown): Promise<void> {
    const count = (this.#failures.get(lane)?.count ?? 0) + 1
    const wait = Math.min(this.#options.retryAfterMs * 2 ** (count - 1), 30_000)
    this.#failures.set(lane, { count, notBefore: performance.now() + wait })
    const isOver = count >= this.#options.triesMax || this.#options.isFinal?.(error)
    if (!isOver || !reconciler.giveUp) return
    try {
      await reconciler.giveUp(key, error)
      this.#failures.delete(lane)
      this.wake()
    } catch (worse) {
      this.#options.onError(lane, worse)
    }
  }

  #countUnderWay(name: string): number {
    let count = 0
    for (const lane of this.#underWay.keys()) if (lane.startsWith(`${name}/`)) count++
    return count
  }

  #keepNoted(name: string, key: string): void {
    const keys = this.#noted.get(name) ?? new Set<string>()
    this.#noted.set(name, keys.add(key))
  }
}
