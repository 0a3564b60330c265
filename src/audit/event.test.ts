import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AuditEvent, recordOf } from './event.ts'

const event: AuditEvent = {
  requestId: 'r-1',
  at: new Date('2026-01-02T03:04:05.678Z'),
  service: 'ebs',
  action: 'PutSnapshotBlock',
  isReadOnly: false,
  outcome: 'ValidationException',
  message: 'The checksum is wrong.',
  region: 'eu-west-1',
  principal: undefined,
  claimedKeyId: 'AKIA0',
  sourceAddress: '127.0.0.1',
  userAgent: 'x'.repeat(5000),
  parameters: { BlockData: new Uint8Array(512 * 1024), BlockIndex: 3 },
  resources: [],
}
const read = (of: AuditEvent) =>
  JSON.parse(recordOf(of, { eventId: 'e-1', accountId: '' })) as Record<string, unknown>

test('the record of a refused call says what was refused and why, and has no content in it', () => {
  assert.deepEqual(read(event), {
    eventVersion: '1.11',
    userIdentity: { type: 'Unknown', accessKeyId: 'AKIA0' },
    eventTime: '2026-01-02T03:04:05Z',
    eventSource: 'ebs.amazonaws.com',
    eventName: 'PutSnapshotBlock',
    awsRegion: 'eu-west-1',
    sourceIPAddress: '127.0.0.1',
    userAgent: 'x'.repeat(1024),
    errorCode: 'ValidationException',
    errorMessage: 'The checksum is wrong.',
    requestParameters: { BlockData: '[524288 bytes]', BlockIndex: 3 },
    requestID: 'r-1',
    eventID: 'e-1',
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: false,
    eventCategory: 'Data',
  })
})

test('of a URL the place is recorded, and neither a password nor a signature', () => {
  const source = 'https://me:pa:s@s@example.com:8/disk.raw?X-Amz-Signature=1&a=b#top'
  const plain = 'https://example.com/@home is not arn:aws:iam::1:user/me@example.com?x=y'
  const record = read({ ...event, message: `No: ${source}`, parameters: { source, plain } })
  const shown = 'https://[secret]@example.com:8/disk.raw?[secret]#top'
  assert.deepEqual(record['requestParameters'], { source: shown, plain })
  assert.equal(record['errorMessage'], `No: ${shown}`)
  const long = '://'.repeat(200_000) + 'a:'.repeat(200_000)
  assert.equal(read({ ...event, message: long })['errorMessage'], long.slice(0, 1024))
})

test('parameters that are too long are left out, and the record says so', () => {
  const record = read({ ...event, parameters: { VolumeIds: Array(9000).fill('vol-00000001') } })
  assert.equal(record['requestParameters'], undefined)
  assert.equal(record['requestParametersOmitted'], true)
})
