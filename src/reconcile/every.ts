/** For what is looked at from time to time, and not whenever the loop wakes: tells whether it is time again. */
export function every(ms: number, now: () => Date): () => boolean {
  let lookedAtMs = 0
  return () => {
    const atMs = now().getTime()
    if (atMs - lookedAtMs < ms) return false
    lookedAtMs = atMs
    return true
  }
}
