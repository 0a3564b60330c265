/** Tells now and then how far something is: to whom it matters little if that comes late, or is lost. */

const everyMs = 1000

/** What takes `done` and `total`, and passes them on in percent. The end is for whoever knows of it. */
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
