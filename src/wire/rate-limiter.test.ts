import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateLimiter } from './rate-limiter.ts'

test('a key may call in bursts, then at its rate, and takes nothing from others', () => {
  const limiter = new RateLimiter(10)
  const isRefused = { code: 'RequestLimitExceeded' }
  for (let call = 0; call < 20; call++) limiter.take('a', 0)
  assert.throws(() => limiter.take('a', 0), isRefused)
  limiter.take('b', 0)
  limiter.take('a', 100)
  assert.throws(() => limiter.take('a', 100), isRefused)
  for (let call = 0; call < 20; call++) limiter.take('a', 10_000)
  assert.throws(() => limiter.take('a', 10_000), isRefused)
})
