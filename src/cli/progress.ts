/**
 * Shows how far long work is: a bar with rate and time left on a terminal; else a
 * plain line for each step, and now and then one for how far it is.
 */
import { SingleBar } from 'cli-progress'
import type { Shell } from './shell.ts'

export interface ProgressOf {
  readonly message: string
  readonly doneBytes: number
  /** Zero where nobody knows. */
  readonly totalBytes: number
}

const lineEveryMs = 5_000
const mebibyte = 2 ** 20

export class Progress implements Disposable {
  readonly #shell: Shell
  readonly #startedMs: number
  #bar: SingleBar | undefined
  #message = ''
  #lineAtMs = -Infinity
  #stepStartedMs: number

  constructor(shell: Shell) {
    this.#shell = shell
    this.#startedMs = shell.now().getTime()
    this.#stepStartedMs = this.#startedMs
  }

  show(progress: ProgressOf): void {
    if (progress.message !== this.#message) this.#begin(progress.message)
    if (progress.totalBytes <= 0) return
    if (this.#shell.errors.isTTY) this.#showBar(progress)
    else this.#showLine(progress)
  }

  /** Ends the bar, so that lines can follow. */
  [Symbol.dispose](): void {
    this.#bar?.stop()
    this.#bar = undefined
  }

  #begin(message: string): void {
    this[Symbol.dispose]()
    this.#message = message
    this.#stepStartedMs = this.#shell.now().getTime()
    this.#lineAtMs = this.#stepStartedMs
    const seconds = Math.round((this.#stepStartedMs - this.#startedMs) / 1000)
    if (message !== '') this.#shell.errors.write(`  ${String(seconds).padStart(3)} s  ${message}\n`)
  }

  #showBar({ doneBytes, totalBytes }: ProgressOf): void {
    const done = Math.round(doneBytes / mebibyte)
    const rate = this.#rateMiBPerSecond(doneBytes)
    if (!this.#bar) {
      this.#bar = new SingleBar({
        format: '         {bar} {percentage}% of {total} MiB, {rate} MiB/s, {eta_formatted} left',
        stream: this.#shell.errors,
        barsize: 30,
        hideCursor: true,
        clearOnComplete: true,
        stopOnComplete: false,
        // Ours is told what the signal means; the library's would only show the cursor again.
        gracefulExit: false,
      })
      this.#bar.start(Math.max(1, Math.round(totalBytes / mebibyte)), done, { rate })
    } else {
      this.#bar.update(done, { rate })
    }
  }

  #showLine({ doneBytes, totalBytes }: ProgressOf): void {
    const nowMs = this.#shell.now().getTime()
    if (nowMs - this.#lineAtMs < lineEveryMs) return
    this.#lineAtMs = nowMs
    const percent = Math.floor((doneBytes / totalBytes) * 100)
    const rate = this.#rateMiBPerSecond(doneBytes)
    const leftMiB = (totalBytes - doneBytes) / mebibyte
    const left = rate > 0 ? `, ${Math.ceil(leftMiB / rate)} s left` : ''
    this.#shell.errors.write(
      `         ${percent}% of ${Math.round(totalBytes / mebibyte)} MiB, ${rate} MiB/s${left}\n`,
    )
  }

  #rateMiBPerSecond(doneBytes: number): number {
    const seconds = (this.#shell.now().getTime() - this.#stepStartedMs) / 1000
    return seconds > 0 ? Math.round(doneBytes / mebibyte / seconds) : 0
  }
}
