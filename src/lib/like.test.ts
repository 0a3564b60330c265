import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isLike } from './like.ts'

/** By trying all that a `*` could be. */
function fits(pattern: string, text: string): boolean {
  const [first = '', second = ''] = pattern
  if (pattern === '') return text === ''
  if (first === '*') {
    return fits(pattern.slice(1), text) || (text !== '' && fits(pattern, text.slice(1)))
  }
  const isQuoted = first === '\\' && second !== ''
  const isFit =
    text !== '' && ((first === '?' && !isQuoted) || text[0] === (isQuoted ? second : first))
  return isFit && fits(pattern.slice(isQuoted ? 2 : 1), text.slice(1))
}

test('a pattern matches what it says, and nothing else', () => {
  const patterns = fc.array(fc.constantFrom('a', 'b', '*', '?', '\\'), { maxLength: 8 })
  const texts = fc.array(fc.constantFrom('a', 'b', '*', '?', '\\'), { maxLength: 8 })
  fc.assert(
    fc.property(patterns, texts, (pattern, text) => {
      assert.equal(isLike(pattern.join(''), text.join('')), fits(pattern.join(''), text.join('')))
    }),
    { numRuns: 3000 },
  )
})

test('the patterns of a whole call are read once, however many and long they are', () => {
  // Read anew for each text, these took minutes, and gigabytes where they were kept.
  const many = Array.from({ length: 10_000 }, (_, number) => `*${String(number).padStart(90, 'z')}`)
  for (let item = 0; item < 500; item++) {
    assert(!many.some((pattern) => isLike(pattern, `image ${item}`)))
  }
  for (let number = 0; number < 100; number++) {
    const long = `${'*a'.repeat(200_000)}${number}`
    for (let item = 0; item < 50; item++) assert(!isLike(long, `image ${item}`))
  }
  assert(isLike(`${'*'.repeat(1_000_000)}a`, 'a'))
})
