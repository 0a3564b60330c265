import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { lockStateOf, matchesRule, type RetentionRule, retentionDaysOf } from './rule.ts'
import { changeRule, deleteRule, findRule, insertRule, listRules } from './store.ts'

const owner = { accountId: '111111111111', region: 'us-east-1' }

function rule(changes: Partial<RetentionRule> = {}): RetentionRule {
  return {
    id: 'abcdefghijk',
    ...owner,
    resourceType: 'EC2_IMAGE',
    retentionDays: 7,
    description: '',
    resourceTags: [],
    excludeResourceTags: [],
    createdAt: new Date(1),
    lock: undefined,
    revision: 1,
    ...changes,
  }
}

const keys = fc.constantFrom('a', 'b', 'c')
const values = fc.constantFrom('1', '2')
const tags = fc.uniqueArray(fc.record({ key: keys, value: values }), {
  selector: ({ key }) => key,
})
const picks = fc.array(fc.record({ key: keys, value: fc.option(values, { nil: undefined }) }), {
  maxLength: 2,
})

test('a rule without tags retains all but what it leaves out, one with tags what has one of them', () => {
  fc.assert(
    fc.property(tags, picks, (all, picked) => {
      const isPicked = picked.some(({ key, value }) =>
        all.some((tag) => tag.key === key && [undefined, tag.value].includes(value)),
      )
      const excluding = { resourceTags: [], excludeResourceTags: picked }
      assert.equal(matchesRule(excluding, all), !isPicked)
      const naming = { resourceTags: picked, excludeResourceTags: [] }
      assert.equal(matchesRule(naming, all), picked.length === 0 || isPicked)
    }),
  )
})

test('of several rules that match, the one that retains the longest wins', () => {
  const rules = [
    rule({ retentionDays: 3 }),
    rule({ retentionDays: 30, resourceTags: [{ key: 'keep', value: undefined }] }),
  ]
  assert.equal(retentionDaysOf(rules, []), 3)
  assert.equal(retentionDaysOf(rules, [{ key: 'keep', value: 'yes' }]), 30)
  assert.equal(retentionDaysOf([], []), undefined)
})

test('a rule is locked until its delay is over', () => {
  const unlocksAt = new Date(1000)
  assert.equal(lockStateOf(rule(), new Date(0)), 'unlocked')
  const locked = rule({ lock: { unlockDelayDays: 7, unlocksAt: undefined } })
  assert.equal(lockStateOf(locked, new Date(0)), 'locked')
  const unlocking = rule({ lock: { unlockDelayDays: 7, unlocksAt } })
  assert.equal(lockStateOf(unlocking, new Date(999)), 'pending_unlock')
  assert.equal(lockStateOf(unlocking, unlocksAt), 'unlocked')
})

for (const [name, start] of Object.entries(databases)) {
  describe(`retention rules on ${name}`, () => {
    test('a rule comes back as it was stored, and changes only as it was seen', async (context) => {
      const { writes: db } = await start(context)
      const full = rule({
        description: 'the old ones',
        resourceTags: [
          { key: 'a', value: undefined },
          { key: 'b', value: '' },
        ],
        lock: { unlockDelayDays: 7, unlocksAt: new Date(5) },
      })
      const other = rule({ id: 'bbbbbbbbbbb', resourceType: 'EBS_SNAPSHOT' })
      const change = (one: RetentionRule) => transaction(db, (tx) => changeRule(tx, one))
      await transaction(db, async (tx) => {
        await insertRule(tx, full)
        await insertRule(tx, other)
      })
      assert.deepEqual(await findRule(db, { ...owner, id: full.id }), full)
      assert.deepEqual(await listRules(db, owner), [full, other])
      assert.deepEqual(await listRules(db, { ...owner, resourceType: 'EC2_IMAGE' }), [full])
      assert.equal(await findRule(db, { ...owner, region: 'eu-west-1', id: full.id }), undefined)

      assert(await change({ ...full, retentionDays: 9, lock: undefined }))
      assert(!(await change({ ...full, retentionDays: 10 })))
      const changed = await findRule(db, { ...owner, id: full.id })
      assert.deepEqual(changed, { ...full, retentionDays: 9, lock: undefined, revision: 2 })
      assert(!(await transaction(db, (tx) => deleteRule(tx, full))))
      assert(await transaction(db, (tx) => deleteRule(tx, { ...full, revision: 2 })))
      assert.deepEqual(await listRules(db, owner), [other])
    })
  })
}
