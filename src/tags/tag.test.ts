import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tagsOnCreate } from './on-create.ts'
import { readTags } from './tag.ts'

test('a tag without a value has an empty one', () => {
  assert.deepEqual(readTags([{ Key: 'a' }]), [{ key: 'a', value: '' }])
})

test('what no tag can be is refused', () => {
  const refused = (tags: readonly { Key?: string; Value?: string }[], code: string) =>
    assert.throws(() => readTags(tags), { code })
  refused([{ Value: 'x' }], 'InvalidParameterValue')
  refused([{ Key: 'aws:x' }], 'InvalidParameterValue')
  refused([{ Key: 'k'.repeat(129) }], 'InvalidParameterValue')
  refused([{ Key: 'k', Value: 'v'.repeat(257) }], 'InvalidParameterValue')
  refused([{ Key: 'k' }, { Key: 'k', Value: 'v' }], 'InvalidParameterValue')
  refused(
    Array.from({ length: 51 }, (_, at) => ({ Key: `k${at}` })),
    'TagLimitExceeded',
  )
  assert.equal(readTags([{ Key: '😀'.repeat(128) }]).length, 1)
})

test('a call tags only what it makes', () => {
  const Tags = [{ Key: 'a', Value: '1' }]
  const read = (ResourceType: string) => tagsOnCreate([{ ResourceType, Tags }], ['volume'])
  assert.deepEqual(read('volume').get('volume'), [{ key: 'a', value: '1' }])
  assert.throws(() => read('image'), {
    code: 'InvalidParameterValue',
    message: "'image' is not a valid taggable resource type for this operation.",
  })
})
