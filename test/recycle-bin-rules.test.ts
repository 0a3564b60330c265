/** Retention rules through a client of the Recycle Bin's own service. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { databases } from './databases.ts'
import { RbinClient, rbinCommands } from './rbin-sdk.ts'
import { accountId, region, startSystem } from './system.ts'

interface Rule {
  readonly Identifier?: string
  readonly RuleArn?: string
  readonly Description?: string
  readonly LockState?: string
  readonly LockEndTime?: Date
  readonly Rules?: readonly Rule[]
  readonly Tags?: readonly object[]
  readonly NextToken?: string
}

async function start(context: TestContext, database: keyof typeof databases = 'sqlite') {
  const system = await startSystem(context, { isIdle: true, database })
  const callerOf = (settings: ConstructorParameters<typeof RbinClient>[0]) => {
    const client = new RbinClient(settings)
    context.after(() => client.destroy())
    return async (action: string, input: object): Promise<Rule> => {
      const Made = rbinCommands[`${action}Command`]
      assert(Made)
      const { $metadata: _, ...answer } = await client.send(new Made(input) as never)
      return answer as Rule
    }
  }
  return { system, callerOf, rbin: callerOf(system.settingsWith()) }
}

const days = (RetentionPeriodValue: number) => ({
  RetentionPeriodValue,
  RetentionPeriodUnit: 'DAYS',
})
const lockFor = (UnlockDelayValue: number) => ({
  UnlockDelay: { UnlockDelayValue, UnlockDelayUnit: 'DAYS' },
})
const ResourceType = 'EC2_IMAGE'

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`a rule is made, changed, found, tagged and deleted (${database})`, async (context) => {
    const { system, callerOf, rbin } = await start(context, database)
    const ResourceTags = [{ ResourceTagKey: 'stage', ResourceTagValue: 'prod' }]
    const made = await rbin('CreateRule', {
      ResourceType,
      RetentionPeriod: days(7),
      Description: 'of images',
      ResourceTags,
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    const { Identifier, Tags, ...rest } = made
    assert.match(Identifier ?? '', /^[0-9a-zA-Z]{11}$/)
    assert.deepEqual(Tags, [{ Key: 'team', Value: 'a' }])
    assert.deepEqual(rest, {
      RuleArn: `arn:aws:rbin:${region}:${accountId}:rule/${Identifier}`,
      ResourceType,
      RetentionPeriod: days(7),
      Description: 'of images',
      ResourceTags,
      ExcludeResourceTags: [],
      Status: 'available',
      LockState: 'unlocked',
    })
    assert.deepEqual(await rbin('GetRule', { Identifier }), { Identifier, ...rest })

    const changed = await rbin('UpdateRule', { Identifier, RetentionPeriod: days(30) })
    assert.deepEqual(changed, { Identifier, ...rest, RetentionPeriod: days(30) })
    const everything = await rbin('UpdateRule', {
      Identifier,
      ResourceTags: [],
      ExcludeResourceTags: [{ ResourceTagKey: 'keep-not' }],
      Description: '',
    })
    assert.deepEqual(everything, {
      ...changed,
      Description: '',
      ResourceTags: [],
      ExcludeResourceTags: [{ ResourceTagKey: 'keep-not' }],
    })

    const other = await rbin('CreateRule', {
      ResourceType: 'EBS_SNAPSHOT',
      RetentionPeriod: days(1),
    })
    const ids = async (input: object) => {
      const { Rules = [] } = await rbin('ListRules', { ResourceType, ...input })
      return Rules.map((rule) => rule.Identifier)
    }
    assert.deepEqual(await ids({}), [Identifier])
    assert.deepEqual(await ids({ ResourceType: 'EBS_SNAPSHOT' }), [other.Identifier])
    assert.deepEqual(await ids({ LockState: 'locked' }), [])
    assert.deepEqual(await ids({ ResourceTags }), [])
    assert.deepEqual(await ids({ ExcludeResourceTags: [{ ResourceTagKey: 'keep-not' }] }), [
      Identifier,
    ])
    await rbin('CreateRule', { ResourceType, RetentionPeriod: days(1) })
    const first = await rbin('ListRules', { ResourceType, MaxResults: 1 })
    const { NextToken } = first
    const second = await rbin('ListRules', { ResourceType, MaxResults: 1, NextToken })
    assert.equal(second.NextToken, undefined)
    assert.notEqual(first.Rules?.[0]?.Identifier, second.Rules?.[0]?.Identifier)

    const ResourceArn = made.RuleArn
    const added = { ResourceArn, Tags: [{ Key: 'b', Value: 'c' }] }
    await rbin('TagResource', added)
    await rbin('UntagResource', { ResourceArn, TagKeys: ['team', 'none'] })
    assert.deepEqual((await rbin('ListTagsForResource', { ResourceArn })).Tags, added.Tags)

    // Another account knows nothing of it.
    const theirs = callerOf(await system.settingsOf('222222222222'))
    const notFound = { name: 'ResourceNotFoundException', Reason: 'RULE_NOT_FOUND' }
    await assert.rejects(theirs('GetRule', { Identifier }), notFound)
    await assert.rejects(theirs('ListTagsForResource', { ResourceArn }), notFound)
    assert.deepEqual((await theirs('ListRules', { ResourceType })).Rules, [])

    await rbin('DeleteRule', { Identifier })
    await assert.rejects(rbin('GetRule', { Identifier }), notFound)
    await assert.rejects(rbin('DeleteRule', { Identifier }), notFound)
    await assert.rejects(rbin('TagResource', added), notFound)
  })

  test(`a locked rule cannot be changed, and unlocks by time alone (${database})`, async (context) => {
    const { rbin } = await start(context, database)
    const LockConfiguration = lockFor(7)
    const { Identifier } = await rbin('CreateRule', { ResourceType, RetentionPeriod: days(7) })
    const state = { name: 'ConflictException', Reason: 'INVALID_RULE_STATE' }
    await assert.rejects(rbin('UnlockRule', { Identifier }), state)
    assert.equal((await rbin('LockRule', { Identifier, LockConfiguration })).LockState, 'locked')
    await assert.rejects(rbin('LockRule', { Identifier, LockConfiguration }), state)
    await assert.rejects(rbin('UpdateRule', { Identifier, Description: 'x' }), state)
    await assert.rejects(rbin('DeleteRule', { Identifier }), state)

    const unlocking = await rbin('UnlockRule', { Identifier })
    assert.equal(unlocking.LockState, 'pending_unlock')
    const daysLeft = ((unlocking.LockEndTime?.getTime() ?? 0) - Date.now()) / 86_400_000
    assert(daysLeft > 6.9 && daysLeft <= 7, String(daysLeft))
    await assert.rejects(rbin('DeleteRule', { Identifier }), state)
    await assert.rejects(rbin('UnlockRule', { Identifier }), state)
    const again = await rbin('LockRule', { Identifier, LockConfiguration: lockFor(30) })
    assert.deepEqual([again.LockState, again.LockEndTime], ['locked', undefined])

    const born = { ResourceType, RetentionPeriod: days(7), LockConfiguration }
    assert.equal((await rbin('CreateRule', born)).LockState, 'locked')
  })
}

test('what no rule can be is refused', async (context) => {
  const { rbin } = await start(context)
  const good = { ResourceType, RetentionPeriod: days(7) }
  const tag = { ResourceTagKey: 'a' }
  const refused = { name: 'ValidationException', Reason: 'INVALID_PARAMETER_VALUE' }
  for (const wrong of [
    { ResourceType: 'EC2_INSTANCE' },
    { RetentionPeriod: days(0) },
    { RetentionPeriod: days(366) },
    { ResourceType: 'EBS_VOLUME', RetentionPeriod: days(8) },
    { RetentionPeriod: { RetentionPeriodValue: 1, RetentionPeriodUnit: 'WEEKS' } },
    { Description: 'a\nb' },
    { Description: 'x'.repeat(256) },
    { ResourceTags: [tag], ExcludeResourceTags: [tag] },
    { ExcludeResourceTags: Array(6).fill(tag) },
    { LockConfiguration: lockFor(6) },
    { LockConfiguration: lockFor(7), ResourceTags: [tag] },
    { Tags: [{ Key: 'aws:x', Value: '' }] },
  ]) {
    await assert.rejects(rbin('CreateRule', { ...good, ...wrong }), refused, JSON.stringify(wrong))
  }
  await assert.rejects(rbin('CreateRule', {}), { name: 'ValidationException' })
  await assert.rejects(rbin('GetRule', { Identifier: 'short' }), refused)
  await assert.rejects(rbin('ListTagsForResource', { ResourceArn: 'arn:aws:x' }), refused)
  const NextToken = 'x'
  await assert.rejects(rbin('ListRules', { ResourceType, NextToken }), {
    name: 'ValidationException',
    Reason: 'INVALID_PAGE_TOKEN',
  })
  const { Identifier } = await rbin('CreateRule', good)
  await assert.rejects(rbin('UpdateRule', { Identifier, ResourceType: 'EBS_VOLUME' }), refused)
  assert.deepEqual((await rbin('ListRules', { ResourceType })).Rules?.length, 1)
})

test('an account has at most 250 rules in a Region', async (context) => {
  const { system, rbin } = await start(context)
  const wanted = { ResourceType, RetentionPeriod: days(7) }
  await rbin('CreateRule', wanted)
  const [row] = await system.db.reads.selectFrom('retention_rules').selectAll().execute()
  assert(row)
  const others = Array.from({ length: 248 }, (_, at) => `rule0000${String(at).padStart(3, '0')}`)
  const rows = others.map((id) => ({ ...row, id }))
  await system.db.writes.insertInto('retention_rules').values(rows).execute()
  await rbin('CreateRule', wanted)
  await assert.rejects(rbin('CreateRule', wanted), { name: 'ServiceQuotaExceededException' })
})
