/** Works through items with a bound on how many are under way. After an error nothing new is begun. */
export async function inLanes<T>(
  lanes: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  let hasFailed = false
  const lane = async () => {
    while (!hasFailed) {
      const next = iterator.next()
      if (next.done) return
      try {
        await work(next.value)
      } catch (error) {
        hasFailed = true
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane))
  const failure = results.find((result) => result.status === 'rejected')
  if (failure) throw failure.reason
}
