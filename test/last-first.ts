/** Stands in for a test's context, of which the ends run in another order, or which is a whole file's. */
import type { TestContext } from 'node:test'

export interface Opened extends Pick<TestContext, 'after'> {
  /** Ends what is open, what was opened last first. */
  readonly end: () => Promise<void>
}

export function lastFirst(): Opened {
  const stack = new AsyncDisposableStack()
  return {
    after: (end) => stack.defer(end as () => void),
    end: () => stack.disposeAsync(),
  }
}
