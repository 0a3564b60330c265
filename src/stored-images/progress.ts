/** What callers hear of work that takes its time: how far it is. */

const everyMs = 1000

/** Passes on in percent what it is told, now and then. That may come late; the end is for others to tell. */
export function everySoOften(
  now: () => Date,
  tell: (percent: number) => Promise<void>,
): (done: number, total: number) => void {
  let toldAtMs = now().getTime()
  return (done, total) => {
    const atMs = now().getTime()
    if (atMs - toldAtMs < everyMs) return
    toldAtMs = atMs
    tell(Math.min(99, Math.floor((100 * done) / Math.max(1, total)))).catch(() => {})
  }
}
