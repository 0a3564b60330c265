import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  checkImageDescription,
  checkImageName,
  imagesNotFound,
  parseImageId,
  snapshotsOf,
} from './image.ts'
import { readLaunchPermissions, viewLaunchPermission } from './launch-permission.ts'

const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789()[] ./-'@_".split(
  '',
)

test('an image can have any name of 3 to 128 characters that EC2 allows', () => {
  const names = fc.string({ unit: fc.constantFrom(...allowed), minLength: 3, maxLength: 128 })
  fc.assert(fc.property(names, (name) => checkImageName(name)))
})

test('an image can have no name that is too short, too long, or has another character', () => {
  const names = fc.oneof(
    fc.string({ unit: fc.constantFrom(...allowed), maxLength: 2 }),
    fc.string({ unit: fc.constantFrom(...allowed), minLength: 129, maxLength: 300 }),
    fc
      .tuple(
        fc.string({ minLength: 3, maxLength: 60 }),
        fc.constantFrom('!', '#', '*', '+', ',', ':', '?', '\n', '"', 'ä', '<'),
      )
      .map(([text, character]) => text + character),
  )
  fc.assert(
    fc.property(names, (name) =>
      assert.throws(() => checkImageName(name), { code: 'InvalidAMIName.Malformed' }),
    ),
  )
})

test('a description is ASCII, as EC2 has it', () => {
  for (const text of ['', 'web & db, "2nd" <try>;\t\r\n', '~'.repeat(255)]) {
    checkImageDescription(text)
  }
  for (const text of ['web \u2014 db', 'caf\u00e9', '\u0001', '\u007f', '~'.repeat(256)]) {
    assert.throws(() => checkImageDescription(text), { code: 'InvalidParameterValue' })
  }
})

test('an id that is none is refused in the words of EC2', () => {
  assert.equal(parseImageId('ami-0123456789abcdef0'), 'ami-0123456789abcdef0')
  assert.equal(parseImageId('ami-01234567'), 'ami-01234567')
  assert.throws(() => parseImageId('not_an_ami_id'), {
    code: 'InvalidAMIID.Malformed',
    message: 'Invalid id: "not_an_ami_id" (expecting "ami-...")',
  })
})

test('images that are not there are named, one or several', () => {
  assert.equal(imagesNotFound(['ami-1']).message, "The image id '[ami-1]' does not exist")
  assert.equal(
    imagesNotFound(['ami-1', 'ami-2']).message,
    "The image ids '[ami-1, ami-2]' do not exist",
  )
})

test('an image lives on each of its snapshots once', () => {
  const ebs = { sizeGiB: 1, type: 'gp3', deleteOnTermination: true }
  const blockDevices = [
    { deviceName: '/dev/xvda', ebs: { ...ebs, snapshotId: 'snap-00000001' as const } },
    { deviceName: '/dev/sdb', ebs: { ...ebs, snapshotId: 'snap-00000001' as const } },
    { deviceName: '/dev/sdc', ebs },
    { deviceName: '/dev/sdd', virtualName: 'ephemeral0' },
  ]
  assert.deepEqual(snapshotsOf({ blockDevices }), ['snap-00000001'])
})

test('launch permissions come back as they were given', () => {
  const items = [
    { UserId: '123456789012' },
    { Group: 'all' as const },
    { OrganizationArn: 'arn:aws:organizations::123456789012:organization/o-abcdefghij' },
  ]
  assert.deepEqual(readLaunchPermissions(items).map(viewLaunchPermission), items)
  assert.equal(readLaunchPermissions([{ UserId: '1234-5678-9012' }])[0]?.grantee, '123456789012')
})

test('one bad item refuses all launch permissions of a call', () => {
  assert.throws(() => readLaunchPermissions([{ UserId: '123456789012' }, { UserId: 'bob' }]), {
    code: 'InvalidAMIAttributeItemValue',
    message: 'Invalid attribute item value "bob" for userId item type.',
  })
})
