/**
 * Cuts the power at every moment of random histories, and checks the promises
 * of the block store: a digest never names other content, what was promised is
 * there for good, and garbage collection never takes what is named.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Digest } from '../lib/digest.ts'
import { DiskFull, MissingBlock } from './errors.ts'
import { anyHistory, pauseOf, play, type Step } from './history.ts'
import { PowerCut, SimDisk } from './sim-disk.ts'
import { clock, digestNumber, findingsOf, openStore, readAll, saveNumbers } from './testing.ts'

const anyDelays = fc.array(fc.nat(6), { minLength: 1, maxLength: 20 })

/** Plays until the power goes, and tells what the database named then. */
async function playUntilCut(
  disk: SimDisk,
  now: () => Date,
  history: readonly (readonly Step[])[],
  live: Set<Digest>,
): Promise<void> {
  try {
    const store = await openStore(disk, now)
    await play(store, history, live)
  } catch (error) {
    if (disk.hasPower || !(error instanceof PowerCut)) throw error
  }
}

test('a power cut at any moment breaks no promise', async () => {
  await fc.assert(
    fc.asyncProperty(
      anyHistory,
      anyDelays,
      fc.nat(120),
      fc.option(fc.nat(120)),
      fc.infiniteStream(fc.boolean()),
      async (history, delays, cut, killedAfter, luck) => {
        const now = clock()
        const live = new Set<Digest>()
        let disk = new SimDisk(now, pauseOf(delays))
        if (killedAfter !== null) {
          // A program before this one was killed in the middle of the same work.
          disk.cutPowerAfter(killedAfter)
          await playUntilCut(disk, now, history, live)
          disk = disk.reopen()
        }
        disk.cutPowerAfter(cut)
        await playUntilCut(disk, now, history, live)

        const after = disk.restart(() => luck.next().value ?? false)
        const store = await openStore(after, now)
        for (const manifest of live) await readAll(store, manifest)
        for (const number of [1, 2, 3, 4, 5, 6]) {
          await store.readBlock(digestNumber(number)).catch((error) => {
            if (!(error instanceof MissingBlock)) throw error
          })
        }
        assert.deepEqual(await findingsOf(store, live), [])
        await play(store, history, live)
        assert.deepEqual(await findingsOf(store, live), [])
      },
    ),
    { numRuns: 200 },
  )
})

test('a disk that is full for a while breaks no promise, and keeps nobody waiting', async () => {
  await fc.assert(
    fc.asyncProperty(anyHistory, anyDelays, fc.nat(900), async (history, delays, bytes) => {
      const now = clock()
      const disk = new SimDisk(now, pauseOf(delays))
      const store = await openStore(disk, now)
      const live = new Set<Digest>()
      disk.fillUpAfter(bytes)
      const ended = history.map((steps) => play(store, [steps], live))
      for (const result of await Promise.allSettled(ended)) {
        if (result.status === 'rejected') assert(result.reason instanceof DiskFull, result.reason)
      }
      disk.fillUpAfter(Infinity)
      for (const manifest of live) await readAll(store, manifest)
      await store.close()
      const after = await openStore(disk, now)
      assert.deepEqual(await findingsOf(after, live), [])
      await play(after, history, live)
      for (const manifest of live) await readAll(after, manifest)
    }),
    { numRuns: 30 },
  )
})

test('what a killed program had finished and not promised is made last by the next one', async () => {
  for (let operations = 0; operations < 40; operations++) {
    const now = clock()
    const killed = new SimDisk(now)
    killed.cutPowerAfter(operations)
    const save: Step = { kind: 'save', numbers: [1, 2] }
    await playUntilCut(killed, now, [[save]], new Set())
    const disk = killed.reopen()
    const manifest = await saveNumbers(await openStore(disk, now), [1, 2])
    const after = await openStore(
      disk.restart(() => false),
      now,
    )
    await readAll(after, manifest)
  }
})
