/**
 * Random histories for tests: users that save, drop and read disks while garbage
 * is collected, all at once.
 */
import fc from 'fast-check'
import type { Digest } from '../lib/digest.ts'
import type { BlockStore } from './block-store.ts'
import { keyNumber, readAll, saveNumbers, takeNumbers } from './testing.ts'

export type Step =
  | { readonly kind: 'save'; readonly numbers: readonly number[]; readonly key?: number }
  | { readonly kind: 'take'; readonly numbers: readonly number[] }
  | { readonly kind: 'drop' | 'read'; readonly which: number }
  | { readonly kind: 'collect' }

const numbers = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 4 })
const which = fc.nat(5)

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('save'), numbers, key: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('take'), numbers }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop'), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read'), which }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('collect') }) },
)

/** What each of a few users does, one thing after the other. */
export const anyHistory = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 3,
})

/** Tells from a list of numbers how many turns of the event loop each operation takes. */
export function pauseOf(delays: readonly number[]): () => Promise<void> {
  let at = 0
  return async () => {
    for (let left = delays[at++ % delays.length] ?? 0; left > 0; left--) await Promise.resolve()
  }
}

/** Plays a history. `live` is what the database would name, at every moment. */
export async function play(
  store: BlockStore,
  history: readonly (readonly Step[])[],
  live: Set<Digest>,
): Promise<void> {
  const done = await Promise.allSettled(history.map((steps) => playOne(store, steps, live)))
  for (const result of done) if (result.status === 'rejected') throw result.reason
}

async function playOne(store: BlockStore, steps: readonly Step[], live: Set<Digest>) {
  for (const done of steps) {
    if (done.kind === 'save') {
      const name = (manifest: Digest) => live.add(manifest)
      await saveNumbers(store, done.numbers, name, keyNumber(done.key ?? 0))
    } else if (done.kind === 'take') {
      await takeNumbers(store, done.numbers, (manifest) => live.add(manifest))
    } else if (done.kind === 'collect') {
      await store.collectGarbage({ live: async () => [...live] })
    } else {
      const manifest = [...live][done.which % Math.max(1, live.size)]
      if (!manifest) continue
      if (done.kind === 'drop') live.delete(manifest)
      else {
        using upload = store.beginUpload()
        upload.hold(manifest)
        await readAll(store, manifest)
      }
    }
  }
}
