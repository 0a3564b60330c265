/** Images and snapshots are copied to other Regions and accounts, through a real client. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CopyImageCommand,
  type CopyImageCommandInput,
  CopySnapshotCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  type EC2Client,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2'
import { blankSnapshot, registerBlank } from './blank-image.ts'
import { accountId, region, startSystem } from './system.ts'

const west = 'us-west-2'
const other = '222222222222'

async function start(context: TestContext) {
  const system = await startSystem(context)
  const snapshotId = await blankSnapshot(system)
  const imageId = await registerBlank(system, snapshotId, {
    Name: 'web',
    Description: 'what is copied',
    EnaSupport: true,
    BootMode: 'uefi',
    ImdsSupport: 'v2.0',
  })
  const copy = async (client: EC2Client, input: Partial<CopyImageCommandInput> = {}) => {
    const usual = { SourceRegion: region, SourceImageId: imageId, Name: 'web' }
    const { ImageId } = await client.send(new CopyImageCommand({ ...usual, ...input }))
    assert(ImageId)
    return ImageId
  }
  const describe = async (client: EC2Client, id: string) =>
    (await client.send(new DescribeImagesCommand({ ImageIds: [id] }))).Images?.[0]
  const snapshot = async (client: EC2Client, id: string | undefined) =>
    (await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [id ?? ''] }))).Snapshots?.[0]
  const available = (client: EC2Client, id: string) =>
    system.until('the copy', async () => {
      const image = await describe(client, id)
      return image?.State === 'available' && image
    })
  await system.client(other)
  const others = { id: `AKIA${other}1`, secret: `of ${other}` }
  return {
    ...system,
    imageId,
    snapshotId,
    copy,
    describe,
    snapshot,
    available,
    inWest: system.clientWith({ region: west }),
    otherHere: system.clientWith(others),
    otherInWest: system.clientWith({ ...others, region: west }),
    share: async () => {
      const LaunchPermission = { Add: [{ UserId: other }] }
      await system.ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission }))
    },
    shareSnapshot: async () => {
      const CreateVolumePermission = { Add: [{ UserId: other }] }
      const wanted = { SnapshotId: snapshotId, CreateVolumePermission }
      await system.ec2.send(new ModifySnapshotAttributeCommand(wanted))
    },
  }
}

test('an image is copied to another Region, with a snapshot of its own', async (context) => {
  const { ec2, inWest, imageId, snapshotId, copy, describe, snapshot, available } =
    await start(context)
  const Tags = [{ Key: 'stage', Value: 'gold' }]
  await ec2.send(new CreateTagsCommand({ Resources: [imageId], Tags }))
  const input = {
    Name: 'web in the west',
    ClientToken: 'once',
    SnapshotCopyCompletionDurationMinutes: 15,
    TagSpecifications: [
      { ResourceType: 'snapshot' as const, Tags: [{ Key: 'of', Value: 'the copy' }] },
    ],
  }
  const id = await copy(inWest, input)
  assert.equal(await copy(inWest, input), id)
  await assert.rejects(copy(inWest, { ...input, Name: 'another' }), {
    name: 'IdempotentParameterMismatch',
  })
  const image = await available(inWest, id)
  assert.deepEqual(
    [image.OwnerId, image.SourceImageId, image.SourceImageRegion, image.ImageLocation],
    [accountId, imageId, region, `${accountId}/web in the west`],
  )
  assert.deepEqual(
    [image.BootMode, image.ImdsSupport, image.EnaSupport, image.RootDeviceName, image.Public],
    ['uefi', 'v2.0', true, '/dev/xvda', false],
  )
  assert.deepEqual(
    [image.Tags, image.Description, image.SourceInstanceId],
    [[], undefined, undefined],
  )
  const SnapshotId = image.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId
  assert.notEqual(SnapshotId, snapshotId)
  const copied = await snapshot(inWest, SnapshotId)
  assert.match(
    copied?.Description ?? '',
    new RegExp(
      `^Copied for DestinationAmi ${id} from SourceAmi ${imageId} for SourceSnapshot ` +
        `${snapshotId}. Task created on [0-9,]+\\.$`,
    ),
  )
  assert.deepEqual(
    [copied?.State, copied?.VolumeId, copied?.TransferType, copied?.CompletionDurationMinutes],
    ['completed', 'vol-ffffffff', 'time-based', 15],
  )
  assert.deepEqual(copied?.Tags, [{ Key: 'of', Value: 'the copy' }])
  await assert.rejects(describe(ec2, id), { name: 'InvalidAMIID.NotFound' })

  // With the source gone, the copy is still whole, and can be copied on.
  await ec2.send(new DeregisterImageCommand({ ImageId: imageId }))
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }))
  const again = await copy(ec2, { SourceRegion: west, SourceImageId: id, Name: 'back' })
  assert.equal((await available(ec2, again)).SourceImageRegion, west)
})

test('a copy takes the caller’s own tags along where it is asked to', async (context) => {
  const { ec2, otherHere, inWest, otherInWest, imageId, share, shareSnapshot, copy, available } =
    await start(context)
  await share()
  await shareSnapshot()
  const tag = (client: EC2Client, ...Tags: { Key: string; Value: string }[]) =>
    client.send(new CreateTagsCommand({ Resources: [imageId], Tags }))
  const shown = { Key: 'ec2:SharedTag/os', Value: 'tiny' }
  await tag(ec2, { Key: 'mine', Value: '1' }, { Key: 'stage', Value: 'old' }, shown)
  await tag(otherHere, { Key: 'theirs', Value: '2' }, { Key: 'ec2:SharedTag/a', Value: '' })
  const mine = await copy(inWest, {
    CopyImageTags: true,
    TagSpecifications: [{ ResourceType: 'image', Tags: [{ Key: 'stage', Value: 'new' }] }],
  })
  assert.deepEqual((await available(inWest, mine)).Tags, [
    shown,
    { Key: 'mine', Value: '1' },
    { Key: 'stage', Value: 'new' },
  ])
  const theirs = await copy(otherInWest, { CopyImageTags: true })
  const image = await available(otherInWest, theirs)
  const seen = [{ Key: 'ec2:SharedTag/a', Value: '' }, shown, { Key: 'theirs', Value: '2' }]
  assert.deepEqual([image.OwnerId, image.Tags], [other, seen])

  // What its owner shows, others see of the image itself too, and find it by that.
  const find = async (client: EC2Client, Name: string, value: string) => {
    const Filters = [{ Name, Values: [value] }]
    return (await client.send(new DescribeImagesCommand({ Filters }))).Images ?? []
  }
  for (const [Name, value] of [
    ['tag:ec2:SharedTag/os', 'tiny'],
    ['tag-key', 'ec2:SharedTag/os'],
    ['tag-key', 'ec2:*/os'],
  ] as const) {
    const [found, ...more] = await find(otherHere, Name, value)
    assert.deepEqual([found?.ImageId, found?.Tags, more], [imageId, seen, []], Name)
  }
  assert.deepEqual(await find(otherHere, 'tag:mine', '1'), [])
  assert.deepEqual(await find(ec2, 'tag-key', 'ec2:SharedTag/a'), [])
  await tag(otherHere, { Key: 'ec2:SharedTag/os', Value: 'our own word' })
  assert.deepEqual(await find(otherHere, 'tag:ec2:SharedTag/os', 'tiny'), [])
})

test('who copies an image needs the image and its disks', async (context) => {
  const { ec2, inWest, otherInWest, imageId, snapshotId, share, shareSnapshot, copy, available } =
    await start(context)
  await assert.rejects(copy(otherInWest), {
    name: 'InvalidAMIID.NotFound',
    message: `The image id '[${imageId}]' does not exist`,
  })
  await share()
  await assert.rejects(copy(otherInWest), {
    name: 'InvalidRequest',
    message: 'You do not have permission to access the storage of this ami',
  })
  await shareSnapshot()
  const id = await copy(otherInWest)
  await available(otherInWest, id)
  // A copy is its owner's alone: whoever could launch the source.
  const wanted = { ImageId: id, Attribute: 'launchPermission' as const }
  const { LaunchPermissions } = await otherInWest.send(new DescribeImageAttributeCommand(wanted))
  assert.deepEqual(LaunchPermissions, [])
  await assert.rejects(copy(inWest, { SourceRegion: west, SourceImageId: id, Name: 'mine' }), {
    name: 'InvalidAMIID.NotFound',
  })

  const refused = (input: Partial<CopyImageCommandInput>, name: string, message?: RegExp) =>
    assert.rejects(copy(inWest, input), { name, ...(message && { message }) })
  await refused({ Name: 'x' }, 'InvalidAMIName.Malformed')
  await refused({ Description: 'x'.repeat(256) }, 'InvalidParameterValue')
  await refused({ SourceRegion: 'mars-east-1' }, 'InvalidRegion')
  await refused({ SourceImageId: 'web' }, 'InvalidAMIID.Malformed')
  await refused({ SourceRegion: west }, 'InvalidAMIID.NotFound')
  await refused({ KmsKeyId: 'alias/a' }, 'InvalidParameterDependency', /KmsKeyId/)
  await refused({ DestinationOutpostArn: 'arn:a' }, 'UnsupportedOperation', /Outpost/)
  await refused({ SnapshotCopyCompletionDurationMinutes: 20 }, 'InvalidParameterValue')
  await refused(
    { TagSpecifications: [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }] },
    'InvalidParameterValue',
    /'volume' is not a valid taggable resource type/,
  )
  await copy(inWest)
  await refused({}, 'InvalidAMIName.Duplicate', /AMI name web is already in use by AMI ami-/)
  await ec2.send(new DeregisterImageCommand({ ImageId: imageId }))
  await refused({ Name: 'too late' }, 'InvalidAMIID.Unavailable')
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }))
})

test('a snapshot is copied, and keeps its disk when the source goes', async (context) => {
  const system = await start(context)
  const { ec2, inWest, otherInWest, imageId, snapshotId, snapshot } = system
  const copy = async (client: EC2Client, input: object = {}) =>
    await client.send(
      new CopySnapshotCommand({
        SourceRegion: region,
        SourceSnapshotId: snapshotId,
        Description: 'for the west',
        ...input,
      }),
    )
  await assert.rejects(copy(otherInWest), {
    name: 'InvalidSnapshot.NotFound',
    message: `The snapshot '${snapshotId}' does not exist.`,
  })
  await assert.rejects(copy(inWest, { SourceRegion: 'mars-east-1' }), { name: 'InvalidRegion' })
  await assert.rejects(copy(inWest, { DestinationRegion: 'eu-west-1' }), {
    name: 'InvalidParameterValue',
  })
  const Tags = [{ Key: 'a', Value: 'b' }]
  const TagSpecifications = [{ ResourceType: 'snapshot', Tags }]
  const made = await copy(inWest, { TagSpecifications, DestinationRegion: west })
  assert.deepEqual(made.Tags, Tags)
  const copied = await system.until('the copy', async () => {
    const found = await snapshot(inWest, made.SnapshotId)
    return found?.State === 'completed' && found
  })
  assert.deepEqual(
    [copied.Description, copied.VolumeSize, copied.TransferType, copied.Tags],
    ['for the west', 1, 'standard', Tags],
  )
  const Filters = [{ Name: 'transfer-type', Values: ['standard'] }]
  const { Snapshots } = await inWest.send(new DescribeSnapshotsCommand({ Filters }))
  assert.deepEqual(
    Snapshots?.map(({ SnapshotId }) => SnapshotId),
    [made.SnapshotId],
  )
  await ec2.send(new DeregisterImageCommand({ ImageId: imageId }))
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshotId }))
  assert.equal((await snapshot(inWest, made.SnapshotId))?.State, 'completed')
})
