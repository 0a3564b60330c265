import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matches, parsePattern } from './pattern.ts'

const event = {
  source: 'aws.ec2',
  'detail-type': 'EC2 AMI State Change',
  resources: ['arn:aws:ec2:us-east-1::image/ami-1', 'arn:other'],
  detail: { State: 'available', ErrorMessage: '', count: 3, nothing: null, deep: { a: 'b' } },
}

const does = (pattern: unknown) => matches(parsePattern(pattern), event)

test('a pattern selects what has one of the values in every field that it names', () => {
  for (const pattern of [
    { source: ['aws.ec2'] },
    { source: ['aws.s3', 'aws.ec2'], detail: { State: ['available'] } },
    { 'detail-type': [{ prefix: 'EC2 ' }] },
    { detail: { State: [{ 'anything-but': ['failed', 'disabled'] }] } },
    { detail: { State: [{ 'anything-but': 'failed' }] } },
    { detail: { State: [{ 'anything-but': { prefix: 'fail' } }] } },
    { detail: { State: ['failed', { prefix: 'avail' }] } },
    { detail: { count: [3], nothing: [null], ErrorMessage: [''] } },
    { detail: { State: [{ exists: true }], Missing: [{ exists: false }] } },
    { detail: { deep: { a: ['b'], c: [{ exists: false }] } } },
    { missing: { deep: [{ exists: false }] } },
    { resources: [{ prefix: 'arn:aws:ec2:us-east-1::image/' }] },
    { resources: ['arn:other'] },
    { resources: [{ 'anything-but': 'arn:other' }] },
  ])
    assert.equal(does(pattern), true, JSON.stringify(pattern))
  for (const pattern of [
    { source: ['aws.s3'] },
    { source: ['aws.ec2'], detail: { State: ['failed'] } },
    { detail: { count: ['3'] } },
    { detail: { State: [{ prefix: 'vail' }] } },
    { detail: { State: [{ 'anything-but': ['failed', 'available'] }] } },
    { detail: { State: [{ 'anything-but': { prefix: 'avail' } }] } },
    { detail: { Missing: [{ 'anything-but': 'x' }] } },
    { detail: { Missing: [{ exists: true }] } },
    { detail: { State: [{ exists: false }] } },
    { detail: ['available'] },
    { detail: [{ exists: true }] },
    { constructor: [{ exists: true }] },
    { resources: ['arn:third'] },
  ])
    assert.equal(does(pattern), false, JSON.stringify(pattern))
})

test('what is no pattern, or compares in a way that is not known, is refused by name', () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [undefined, /object/],
    ['x', /object/],
    [[], /object/],
    [{}, /object/],
    [{ source: 'aws.ec2' }, /at source/],
    [{ detail: { State: [] } }, /at detail\.State/],
    [{ detail: { State: [[]] } }, /at detail\.State/],
    [{ source: [{ suffix: 'x' }] }, /suffix is not supported/],
    [{ source: [{ numeric: ['>', 1] }] }, /numeric is not supported/],
    [{ $or: [{ source: ['a'] }] }, /\$or is not supported/],
    [{ source: [{ prefix: 1 }] }, /prefix/],
    [{ source: [{ prefix: 'a', exists: true }] }, /one name/],
    [{ source: [{ exists: 'yes' }] }, /exists/],
    [{ source: [{ 'anything-but': [] }] }, /anything-but/],
    [{ source: [{ 'anything-but': { suffix: 'a' } }] }, /anything-but/],
    [{ source: ['x'.repeat(5000)] }, /longer/],
    [JSON.parse(`${'{"a":'.repeat(40)}["x"]${'}'.repeat(40)}`), /deep/],
  ]
  for (const [pattern, message] of refused)
    assert.throws(() => parsePattern(pattern), { code: 'InvalidParameterValue', message })
})
