import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contextOf } from './context.ts'
import { compilePattern } from './pattern.ts'

const context = contextOf({
  'aws:username': 'bob',
  'aws:PrincipalTag/Team': '*',
  'aws:TagKeys': ['a'],
})
const fits = (pattern: string, text: string) =>
  compilePattern(pattern, { wildcards: true, variables: true }).fits(text, context)

test('a pattern fits exactly what the regular expression of the same meaning does', () => {
  const letters = fc.constantFrom('a', 'b', '.', ':')
  const pattern = fc.array(fc.oneof(letters, fc.constantFrom('*', '?', '*')), { maxLength: 8 })
  const text = fc.array(letters, { maxLength: 10 })
  fc.assert(
    fc.property(pattern, text, (some, letters) => {
      const wild = { '*': '.*', '?': '.', '.': '\\.' } as Readonly<Record<string, string>>
      const expression = new RegExp(`^${some.map((one) => wild[one] ?? one).join('')}$`, 's')
      assert.equal(fits(some.join(''), letters.join('')), expression.test(letters.join('')))
    }),
    { numRuns: 2000 },
  )
})

test('a long pattern that fits almost everywhere is done at once', () => {
  assert(!fits(`${'*a'.repeat(1000)}b`, 'a'.repeat(100_000)))
})

test('a variable stands for the value of its key, or else for its default', () => {
  assert(fits('user/${aws:username}', 'user/bob'))
  assert(fits('user/${AWS:UserName}*', 'user/bob/1'))
  assert(fits("${aws:userid, 'no, body'}", 'no, body'))
  assert(!fits('${aws:userid}', '${aws:userid}'))
  assert(!fits('${aws:TagKeys}', 'a'))
})

test('what a variable stands for is no pattern', () => {
  assert(fits('${aws:PrincipalTag/Team}', '*'))
  assert(!fits('${aws:PrincipalTag/Team}', 'anything'))
})

test('`${*}`, `${?}` and `${$}` are the characters themselves', () => {
  assert(fits('${*}${?}${$}{aws:username}', '*?${aws:username}'))
  assert(!fits('${*}', 'a'))
})
