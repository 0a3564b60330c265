import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkAttributes, readAttributes } from './ec2-attributes.ts'
import { merge } from './inheritance.ts'

const read = (attributes: object) =>
  readAttributes(merge([[checkAttributes(JSON.stringify({ ec2_attributes: attributes }))]]))

test('a policy says how settings are, in words of its own', () => {
  assert.deepEqual(
    read({
      exception_message: { '@@assign': 'Ask us.' },
      image_block_public_access: { state: { '@@assign': 'block_new_sharing' } },
      snapshot_block_public_access: { state: { '@@assign': 'block_all_sharing' } },
      allowed_images_settings: {
        state: { '@@assign': 'audit_mode' },
        image_criteria: {
          criteria_10: { image_names: { '@@assign': ['a*'] } },
          criteria_2: {
            allowed_image_providers: { '@@append': ['aws_marketplace', '111111111111'] },
            creation_date_condition: { maximum_days_since_created: { '@@assign': 300 } },
            deprecation_time_condition: { maximum_days_since_deprecated: { '@@assign': 0 } },
          },
        },
      },
    }),
    {
      exceptionMessage: 'Ask us.',
      imagePublicAccess: 'block-new-sharing',
      snapshotPublicAccess: 'block-all-sharing',
      allowedImages: {
        state: 'audit-mode',
        criteria: [
          {
            ImageProviders: ['aws-marketplace', '111111111111'],
            CreationDateCondition: { MaximumDaysSinceCreated: 300 },
            DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 0 },
          },
          { ImageNames: ['a*'] },
        ],
      },
    },
  )
  assert.deepEqual(read({ allowed_images_settings: { image_criteria: {} } }), {})
})

test('what cannot be declared is refused', () => {
  const state = (value: unknown) => ({ image_block_public_access: { state: value } })
  const wrong: readonly unknown[] = [
    '',
    '[]',
    'null',
    '{}',
    '{"ec2_attributes": 1}',
    '{"ec2_attributes": {"__proto__": {"x": 1}}}',
    { other: {} },
    state('block_new_sharing'),
    state({}),
    state({ '@@assign': 'no such state' }),
    state({ '@@assign': ['block_new_sharing'] }),
    state({ '@@append': ['block_new_sharing'] }),
    state({ '@@assign': 'unblocked', '@@operators_allowed_for_child_policies': 'none' }),
    state({ '@@assign': 'unblocked', '@@operators_allowed_for_child_policies': ['@@some'] }),
    { allowed_images_settings: { image_criteria: { first: {} } } },
    { serial_console_access: { status: { '@@assign': 'disabled' } } },
  ]
  for (const each of wrong) {
    const content = typeof each === 'string' ? each : JSON.stringify({ ec2_attributes: each })
    assert.throws(
      () => checkAttributes(content),
      { code: 'MalformedPolicyDocumentException' },
      content,
    )
  }
})
