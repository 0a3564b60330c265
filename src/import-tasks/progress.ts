/**
 * How far a task is: told in its row now and then, and by that found out whether the
 * task is still wanted. Where it is not, `signal` is aborted.
 */
import type { Connections } from '../db/database.ts'
import type { Progress } from '../imports/obtain-disk.ts'
import type { ImportTask, TaskDisk } from './import-task.ts'
import { setTaskProgress } from './store.ts'

const everyMs = 500

/** Where in percent of a disk each part of the work begins and ends, in this order. */
const parts: Readonly<Record<string, readonly [from: number, to: number]>> = {
  downloading: [0, 30],
  converting: [30, 60],
  storing: [60, 100],
}

export class TaskProgress {
  readonly #db: Connections
  readonly #task: ImportTask
  readonly #disks: TaskDisk[]
  readonly #cancelled = new AbortController()
  readonly #timer: NodeJS.Timeout
  #message: string
  #percent: number
  #last: Promise<void> = Promise.resolve()

  constructor(db: Connections, task: ImportTask) {
    this.#db = db
    this.#task = task
    this.#disks = [...task.disks]
    this.#message = task.message
    // What was cut off begins anew, and says so.
    this.#percent = 0
    this.#timer = setInterval(() => this.#tell(), everyMs)
  }

  get signal(): AbortSignal {
    return this.#cancelled.signal
  }

  get isCancelled(): boolean {
    return this.#cancelled.signal.aborted
  }

  /** Takes what is told of one disk. */
  of(index: number): Progress {
    return (message, doneBytes, totalBytes) => {
      const [from, to] = parts[message] ?? [0, 0]
      const share = totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 0
      const ofDisk = from + (to - from) * share
      this.#message = message
      this.#percent = Math.min(99, Math.floor((100 * index + ofDisk) / this.#disks.length))
    }
  }

  /** Keeps what is known of a disk by now. */
  know(index: number, disk: TaskDisk): void {
    this.#disks[index] = { ...this.#disks[index], ...disk }
  }

  /** Ends the telling: nothing is written any more when this resolves. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#last
  }

  #tell(): void {
    const { id } = this.#task
    const progress = { message: this.#message, percent: this.#percent, disks: this.#disks }
    this.#last = this.#last
      .then(() => setTaskProgress(this.#db.writes, id, progress))
      .then((isWanted) => {
        if (!isWanted) this.#cancelled.abort(new Error('The task is not wanted any more'))
      })
      // That it cannot be told now is no reason to stop; what matters fails by itself.
      .catch(() => {})
  }
}
