/** Where an image comes from: its ancestors, and the watermarks that it carries from them. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  AttachImageWatermarkCommand,
  CopyImageCommand,
  CreateImageCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DetachImageWatermarkCommand,
  DisableImageBlockPublicAccessCommand,
  type EC2Client,
  GetImageAncestryCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2'
import { putImage, putInstance } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const west = 'us-west-2'
const other = '222222222222'
const owner = { accountId, region }

async function start(context: TestContext) {
  const system = await startSystem(context, { isIdle: true })
  const image = await putImage(system.db, owner, { name: 'golden' })
  const theirs = await system.client(other)
  const attach = async (client: EC2Client, WatermarkName: string, ImageId: string = image.id) =>
    (await client.send(new AttachImageWatermarkCommand({ ImageId, WatermarkName }))).WatermarkKey
  const copyToWest = async (client: EC2Client, SourceImageId: string, SourceRegion = region) => {
    const command = new CopyImageCommand({ SourceRegion, SourceImageId, Name: 'copied' })
    const { ImageId } = await client.send(command)
    assert(ImageId)
    return ImageId
  }
  const watermarks = async (client: EC2Client, id: string) => {
    const { Images } = await client.send(new DescribeImagesCommand({ ImageIds: [id] }))
    return Images?.[0]?.ImageWatermarks
  }
  return {
    ...system,
    image,
    theirs,
    attach,
    copyToWest,
    watermarks,
    inWest: system.clientWith({ region: west }),
    theirsInWest: system.clientWith({ id: `AKIA${other}1`, secret: `of ${other}`, region: west }),
    share: async () => {
      const wanted = { Add: [{ UserId: other }] }
      await system.ec2.send(
        new ModifyImageAttributeCommand({ ImageId: image.id, LaunchPermission: wanted }),
      )
      const SnapshotId = image.blockDevices[0]?.ebs?.snapshotId
      await system.ec2.send(
        new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission: wanted }),
      )
    },
  }
}

test('a watermark goes along to every image that is made of one', async (context) => {
  const system = await start(context)
  const { ec2, db, theirsInWest, image, attach, watermarks } = system
  const key = await attach(ec2, 'approved')
  assert.equal(key, `${accountId}:approved`)
  assert.equal(await attach(ec2, 'approved'), key)
  const [mark, ...others] = (await watermarks(ec2, image.id)) ?? []
  assert.equal(others.length, 0)
  assert(mark?.WatermarkCreationTime)
  assert.deepEqual(
    [mark.WatermarkKey, mark.SourceImageId, mark.SourceImageRegion, mark.SourceImageCreationTime],
    [key, image.id, region, image.createdAt],
  )
  await system.share()
  const copied = await system.copyToWest(theirsInWest, image.id)
  assert.deepEqual(await watermarks(theirsInWest, copied), [mark])
  const instance = await putInstance(db, owner, { imageId: image.id })
  const baked = await ec2.send(new CreateImageCommand({ InstanceId: instance.id, Name: 'baked' }))
  assert.deepEqual(await watermarks(ec2, baked.ImageId ?? ''), [mark])

  // Whoever has it off does not touch what was made before.
  const detach = { ImageId: image.id, WatermarkKey: key }
  await ec2.send(new DetachImageWatermarkCommand(detach))
  await ec2.send(new DetachImageWatermarkCommand(detach))
  assert.deepEqual(await watermarks(ec2, image.id), [])
  assert.deepEqual(await watermarks(theirsInWest, copied), [mark])

  const find = async (Name: string, value: string) => {
    const Filters = [{ Name, Values: [value] }]
    const { Images } = await ec2.send(new DescribeImagesCommand({ Filters }))
    return Images?.map(({ ImageId }) => ImageId)
  }
  for (const [name, value] of [
    ['watermark-key', '*:approved'],
    ['source-image-id', image.id],
    ['source-image-region', region],
    ['source-image-creation-time', '2026-11-23T*'],
    ['watermark-creation-time', mark.WatermarkCreationTime.toISOString()],
  ] as const) {
    assert.deepEqual(await find(`image-watermark.${name}`, value), [baked.ImageId])
    assert.deepEqual(await find(`image-watermark.${name}`, 'other'), [])
  }
})

test('a watermark is for the owner of an image, and for images that are not public', async (context) => {
  const { ec2, theirs, image, attach, share } = await start(context)
  await assert.rejects(attach(theirs, 'mine now'), { name: 'InvalidAMIID.NotFound' })
  await share()
  await assert.rejects(attach(theirs, 'mine now'), { name: 'AuthFailure' })
  const detach = { ImageId: image.id, WatermarkKey: `${accountId}:approved` }
  await assert.rejects(theirs.send(new DetachImageWatermarkCommand(detach)), {
    name: 'AuthFailure',
  })
  for (const name of ['ab', 'a'.repeat(129), 'a:b:c', 'a#b']) {
    await assert.rejects(attach(ec2, name), { name: 'InvalidParameterValue' })
  }
  await assert.rejects(
    ec2.send(new DetachImageWatermarkCommand({ ...detach, WatermarkKey: 'approved' })),
    { name: 'InvalidParameterValue' },
  )
  await assert.rejects(attach(ec2, 'approved', 'web'), { name: 'InvalidAMIID.Malformed' })
  const LaunchPermission = { Add: [{ Group: 'all' as const }] }
  await ec2.send(new DisableImageBlockPublicAccessCommand({}))
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: image.id, LaunchPermission }))
  await assert.rejects(attach(ec2, 'approved'), { name: 'OperationNotPermitted' })
})

test('the ancestry of an image goes back to the first one, gone or not', async (context) => {
  const { ec2, db, inWest, theirs, image, copyToWest } = await start(context)
  const baked = await putImage(db, owner, {
    name: 'baked',
    sourceImageId: image.id,
    sourceImageRegion: region,
    createdAt: new Date('2026-11-23T11:00:00Z'),
  })
  const copied = await copyToWest(inWest, baked.id)
  await ec2.send(new DeregisterImageCommand({ ImageId: image.id }))
  const ancestry = async (client: EC2Client, ImageId: string) =>
    (await client.send(new GetImageAncestryCommand({ ImageId }))).ImageAncestryEntries
  const [first, ...others] = (await ancestry(inWest, copied)) ?? []
  assert.deepEqual(
    [first?.ImageId, first?.SourceImageId, first?.SourceImageRegion],
    [copied, baked.id, region],
  )
  assert.deepEqual(others, [
    {
      CreationDate: baked.createdAt,
      ImageId: baked.id,
      SourceImageId: image.id,
      SourceImageRegion: region,
    },
    { CreationDate: image.createdAt, ImageId: image.id },
  ])
  await assert.rejects(ancestry(theirs, baked.id), { name: 'InvalidAMIID.NotFound' })
  await assert.rejects(ancestry(ec2, 'web'), { name: 'InvalidAMIID.Malformed' })
})
