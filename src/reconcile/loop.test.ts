import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lanes } from './lanes.ts'
import { Loop, type Reconciler } from './loop.ts'

const options = { scanEveryMs: 60_000, triesMax: 3, retryAfterMs: 0, onError: () => {} }

/** A reconciler of resources that are due until `step` says that they moved. */
function reconciler(parts: Partial<Reconciler> & Pick<Reconciler, 'step'>): Reconciler {
  return { name: 'some', stepsAtOnceMax: 2, due: async () => [], ...parts }
}

test('a reconciler that cannot even look does not stop the others', async () => {
  const { promise: seen, resolve } = Promise.withResolvers<string>()
  const blind = reconciler({
    name: 'blind',
    due: () => Promise.reject(new Error('no database')),
    step: async () => 'waiting',
  })
  const seeing = reconciler({
    name: 'seeing',
    due: async () => ['a'],
    step: async (key) => {
      resolve(key)
      return 'waiting'
    },
  })
  const errors: string[] = []
  const loop = new Loop([blind, seeing], { ...options, onError: (where) => errors.push(where) })
  loop.start()
  assert.equal(await seen, 'a')
  assert.deepEqual(errors, ['blind'])
  await loop.stop()
})

test('what no other try would change is given up at once', async () => {
  const { promise: over, resolve } = Promise.withResolvers<unknown>()
  let tries = 0
  const loop = new Loop(
    [
      reconciler({
        due: async () => (tries === 0 ? ['a'] : []),
        async step() {
          tries++
          throw new Error('hopeless')
        },
        giveUp: async (_key, error) => resolve(error),
      }),
    ],
    { ...options, isFinal: (error) => error instanceof Error && error.message === 'hopeless' },
  )
  loop.start()
  assert.match(String(await over), /hopeless/)
  assert.equal(tries, 1)
  await loop.stop()
})

test('steps of one resource never overlap, and a slow one delays no other', async () => {
  const { promise: slow, resolve: finishSlow } = Promise.withResolvers<void>()
  const { promise: fastDone, resolve } = Promise.withResolvers<void>()
  let slowSteps = 0
  let fastSteps = 0
  const loop: Loop = new Loop(
    [
      reconciler({
        due: async () => ['slow', 'fast'],
        async step(key) {
          if (key === 'slow') {
            slowSteps++
            await slow
            return 'waiting'
          }
          if (++fastSteps === 5) resolve()
          return fastSteps < 5 ? 'moved' : 'waiting'
        },
      }),
    ],
    options,
  )
  loop.start()
  await fastDone
  assert.equal(slowSteps, 1)
  finishSlow()
  await loop.stop()
})

test('what has no room is done when a step ends', async () => {
  const left = new Set(['a', 'b', 'c', 'd', 'e'])
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const loop = new Loop(
    [
      reconciler({
        due: async () => [...left],
        async step(key) {
          left.delete(key)
          if (left.size === 0) resolve()
          return 'waiting'
        },
      }),
    ],
    options,
  )
  loop.start()
  await done
  await loop.stop()
})

test('what was noted is looked at though nothing is due', async () => {
  const { promise: seen, resolve } = Promise.withResolvers<string>()
  const loop = new Loop(
    [
      reconciler({
        step: async (key) => {
          resolve(key)
          return 'waiting'
        },
      }),
    ],
    options,
  )
  loop.start()
  loop.note('some', 'i-1')
  assert.equal(await seen, 'i-1')
  await loop.stop()
})

test('a step that keeps failing is given up in words that the caller sees', async () => {
  let tries = 0
  const { promise: given, resolve } = Promise.withResolvers<string>()
  let isDue = true
  const loop: Loop = new Loop(
    [
      reconciler({
        due: async () => (isDue ? ['x'] : []),
        async step() {
          tries++
          setTimeout(() => loop.wake(), 1)
          throw new Error('no such disk')
        },
        async giveUp(key, error) {
          isDue = false
          resolve(`${key}: ${(error as Error).message}`)
        },
      }),
    ],
    options,
  )
  loop.start()
  assert.equal(await given, 'x: no such disk')
  assert.equal(tries, 3)
  await loop.stop()
})

test('work in one lane keeps its order, also after a failure', async () => {
  const lanes = new Lanes()
  const order: number[] = []
  const first = lanes.hold('a', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(1)
    throw new Error('on purpose')
  })
  const second = lanes.hold('a', async () => order.push(2))
  await assert.rejects(first, /on purpose/)
  await second
  assert.deepEqual(order, [1, 2])
})
