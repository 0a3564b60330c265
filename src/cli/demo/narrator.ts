/** Tells a story step by step: what is done, what came of it, and how long it took. */
import { say, type Shell } from '../shell.ts'

export class Narrator {
  readonly #shell: Shell
  readonly #signal: AbortSignal

  constructor(shell: Shell, signal: AbortSignal) {
    this.#shell = shell
    this.#signal = signal
  }

  /** Does a step of the story. `detail` tells a line about it, while it goes on or after. */
  async step<T>(title: string, work: (detail: (line: string) => void) => Promise<T>): Promise<T> {
    this.#signal.throwIfAborted()
    say(this.#shell, `\n${title}`)
    const startedMs = this.#shell.now().getTime()
    const stopped = Promise.withResolvers<never>()
    const onAbort = () => stopped.reject(this.#signal.reason)
    this.#signal.addEventListener('abort', onAbort, { once: true })
    try {
      const result = await Promise.race([
        work((line) => say(this.#shell, `    ${line}`)),
        stopped.promise,
      ])
      const seconds = (this.#shell.now().getTime() - startedMs) / 1000
      say(this.#shell, `    took ${seconds.toFixed(1)} s`)
      return result
    } finally {
      this.#signal.removeEventListener('abort', onAbort)
    }
  }
}
