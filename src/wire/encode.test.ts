import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError } from '../lib/errors.ts'
import { loadService } from './codec.ts'
import { textOf } from './service.ts'
import { escapeXml } from './xml.ts'

const ec2 = loadService('ec2')
const sts = loadService('sts')
const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'

test('an answer of EC2 looks as it does at AWS', () => {
  const output = {
    Images: [
      { ImageId: 'ami-1', Public: false, Name: 'a<b', Description: undefined, Tags: [] },
      { ImageId: 'ami-2', BlockDeviceMappings: [{ DeviceName: 'sda', Ebs: { VolumeSize: 8 } }] },
    ],
  }
  assert.equal(
    ec2.encode('DescribeImages', 'r-1', output),
    `${declaration}<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
      '<requestId>r-1</requestId><imagesSet>' +
      '<item><name>a&lt;b</name><tagSet/><imageId>ami-1</imageId><isPublic>false</isPublic></item>' +
      '<item><blockDeviceMapping><item><ebs><volumeSize>8</volumeSize></ebs>' +
      '<deviceName>sda</deviceName></item></blockDeviceMapping><imageId>ami-2</imageId></item>' +
      '</imagesSet></DescribeImagesResponse>',
  )
})

test('an action that answers nothing says that it is done', () => {
  assert.equal(
    ec2.encode('CreateTags', 'r-1', undefined),
    `${declaration}<CreateTagsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">` +
      '<requestId>r-1</requestId><return>true</return></CreateTagsResponse>',
  )
})

test('an answer of STS looks as it does at AWS', () => {
  assert.equal(
    sts.encode('GetCallerIdentity', 'r-1', { Account: '1', Arn: 'a', UserId: 'u' }),
    `${declaration}<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">` +
      '<GetCallerIdentityResult><UserId>u</UserId><Account>1</Account><Arn>a</Arn>' +
      '</GetCallerIdentityResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata>' +
      '</GetCallerIdentityResponse>',
  )
})

test('times have milliseconds', () => {
  const output = { StartTime: new Date('2026-01-01T00:00:00Z') }
  const text = textOf(ec2.encode('CreateSnapshot', 'r', output))
  assert.match(text, /<startTime>2026-01-01T00:00:00\.000Z<\/startTime>/)
})

test('errors look as they do at AWS', () => {
  assert.equal(
    ec2.refuse('r-1', new ApiError('InvalidAction', 'a & b')).body,
    `${declaration}<Response><Errors><Error><Code>InvalidAction</Code>` +
      '<Message>a &amp; b</Message></Error></Errors><RequestID>r-1</RequestID></Response>',
  )
  assert.equal(
    sts.refuse('r-1', new ApiError('InternalError', 'x')).body,
    `${declaration}<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>` +
      '<Type>Receiver</Type><Code>ServiceFailure</Code><Message>x</Message></Error>' +
      '<RequestId>r-1</RequestId></ErrorResponse>',
  )
})

test('text that XML cannot hold is replaced, and the rest is kept', () => {
  assert.equal(escapeXml('plain ü 𝄞 \t\n'), 'plain ü 𝄞 \t\n')
  assert.equal(escapeXml('<a b="c">&\r'), '&lt;a b=&quot;c&quot;&gt;&amp;&#13;')
  assert.equal(
    escapeXml('a\0b\u001bc\ud800d\udc00e\uffffé'),
    'a\ufffdb\ufffdc\ufffdd\ufffde\ufffdé',
  )
})

test('an answer that does not fit its shape is our mistake, and is not sent', () => {
  assert.throws(() => ec2.encode('DescribeImages', 'r', { Images: [{ ImageId: 1 }] }), {
    name: 'AssertionError',
    message: 'not a string: Image.ImageId',
  })
})
