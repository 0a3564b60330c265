import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { control, merge, type PolicyTree } from './inheritance.ts'

const leaf = (operators: PolicyTree): PolicyTree => ({ a: { b: operators } })
const mergeAll = (...policies: PolicyTree[]) => merge(policies.map((policy) => [policy]))

test('a level below writes over, adds to and takes from what it inherits', () => {
  const list = (...items: string[]) => ({ a: { b: items } })
  const above = leaf({ '@@assign': ['x', 'y'] })
  assert.deepEqual(mergeAll(above), list('x', 'y'))
  assert.deepEqual(mergeAll(above, leaf({ '@@assign': ['z'] })), list('z'))
  assert.deepEqual(mergeAll(above, leaf({ '@@append': ['y', 'z'] })), list('x', 'y', 'z'))
  assert.deepEqual(mergeAll(above, leaf({ '@@remove': ['x', 'w'] })), list('y'))
  // A list of allowed things of which all are taken away allows nothing.
  assert.deepEqual(mergeAll(above, leaf({ '@@remove': ['x', 'y'] })), list())
  assert.deepEqual(mergeAll(leaf({ '@@remove': ['x'] })), {})
})

test('what a level above does not allow is passed over, as far down as there are levels', () => {
  const assign = (value: string, words?: readonly string[]) =>
    leaf({ '@@assign': value, ...(words && { [control]: words }) })
  const above = assign('x', ['@@none'])
  assert.deepEqual(mergeAll(above, assign('y')), { a: { b: 'x' } })
  // What is forbidden once cannot be allowed again.
  assert.deepEqual(mergeAll(above, assign('y', ['@@all']), assign('z')), { a: { b: 'x' } })
  assert.deepEqual(mergeAll(assign('x', ['@@append']), assign('y')), { a: { b: 'x' } })
  assert.deepEqual(mergeAll(assign('x', ['@@assign']), assign('y')), { a: { b: 'y' } })
  // It holds for all of the part that it is said of, also for what nobody has said yet.
  const locked = { a: { [control]: ['@@none'] } }
  assert.deepEqual(mergeAll(locked, assign('y')), {})
  assert.deepEqual(mergeAll(locked, { c: { d: { '@@assign': 'y' } } }), { c: { d: 'y' } })
})

test('policies of one level do not limit each other', () => {
  const one = leaf({ '@@assign': 'x', [control]: ['@@none'] })
  const other = leaf({ '@@assign': 'y' })
  assert.deepEqual(merge([[one, other]]), { a: { b: 'y' } })
  assert.deepEqual(merge([[one, other], [leaf({ '@@assign': 'z' })]]), { a: { b: 'y' } })
})

/** What one says of one value, at one of two depths. */
const saying = fc.record({
  where: fc.constantFrom('p.q', 'p.r', 's.q'),
  operator: fc.constantFrom('@@assign', '@@append', '@@remove'),
  items: fc.uniqueArray(fc.constantFrom('1', '2', '3'), { maxLength: 2 }),
  words: fc.option(
    fc.uniqueArray(fc.constantFrom('@@all', '@@none', '@@assign', '@@append', '@@remove'), {
      maxLength: 2,
    }),
  ),
  /** Of how much of the tree the words are said. */
  reach: fc.constantFrom(0, 1, 2),
})
type Saying = typeof saying extends fc.Arbitrary<infer Value> ? Value : never

function treeOf({ where, operator, items, words, reach }: Saying): PolicyTree {
  const [outer = '', inner = ''] = where.split('.')
  const said = words ? { [control]: words } : {}
  const at = (depth: number) => (reach === depth ? said : {})
  return { ...at(0), [outer]: { ...at(1), [inner]: { [operator]: items, ...at(2) } } }
}

test('it is what one gets by going through what was said, one after the other', () => {
  fc.assert(
    fc.property(fc.array(saying, { maxLength: 6 }), (sayings) => {
      const values = new Map<string, readonly ('1' | '2' | '3')[]>()
      const locks: { readonly prefix: string; readonly allowed: readonly string[] }[] = []
      for (const { where, operator, items, words, reach } of sayings) {
        const isHeld = locks.some(
          ({ prefix, allowed }) =>
            where.startsWith(prefix) && !allowed.includes('@@all') && !allowed.includes(operator),
        )
        const before = values.get(where)
        if (!isHeld && operator === '@@assign') values.set(where, items)
        if (!isHeld && operator === '@@append') {
          values.set(where, [...(before ?? []), ...items.filter((one) => !before?.includes(one))])
        }
        if (!isHeld && operator === '@@remove' && before) {
          values.set(
            where,
            before.filter((one) => !items.includes(one)),
          )
        }
        const prefix = ['', where.slice(0, 2), where][reach] ?? ''
        if (words) locks.push({ prefix, allowed: words })
      }
      const merged = mergeAll(...sayings.map(treeOf))
      const found = Object.entries(merged).flatMap(([outer, tree]) =>
        Object.entries(tree).map(([inner, value]) => [`${outer}.${inner}`, value] as const),
      )
      assert.deepEqual(new Map(found), values)
    }),
    { numRuns: 500 },
  )
})
