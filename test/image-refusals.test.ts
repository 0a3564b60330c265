/**
 * What EC2 refuses of every call on images, and with which code: the rules that hold
 * for all of them, and then the calls one by one. What a story of another file needs
 * to be told is there.
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import * as sdk from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { changeImageState } from '../src/images/store.ts'
import { noRebootImagesAtOnceMax, watermarksMax } from '../src/images/unknowns.ts'
import { copiesAtOnceMax } from '../src/snapshot-copies/snapshot-copy.ts'
import { addSnapshotPermissions } from '../src/snapshots/permission-store.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { newId, putImage, putInstance, snapshotRow } from './rows.ts'
import { accountId, region, startSystem } from './system.ts'

const other = '222222222222'
const owner = { accountId, region }
const theirs = { accountId: other, region }

async function start(context: TestContext) {
  const system = await startSystem(context, { isIdle: true })
  const { db, ec2 } = system
  await system.client(other)
  /** By the name of the action, so that tables of calls can be written. */
  const call = (action: string, input: object, client = ec2) => {
    const Command = Object.entries(sdk).find(([name]) => name === `${action}Command`)?.[1]
    return client.send(new (Command as typeof sdk.DescribeImagesCommand)(input))
  }
  const refused = async (code: string, action: string, input: object, message?: RegExp) => {
    const expected = { name: code, ...(message && { message }) }
    await assert.rejects(call(action, input), expected, `${action} ${JSON.stringify(input)}`)
  }
  const put = (name: string, changes: object = {}, by = owner) =>
    putImage(db, by, { name, ...changes })
  const share = (id: string, Add: object[] = [{ UserId: accountId }]) =>
    call('ModifyImageAttribute', { ImageId: id, LaunchPermission: { Add } }, system.clientWith(key))
  const key = { id: `AKIA${other}1`, secret: `of ${other}` }
  const move = (id: `ami-${string}`, to: 'deregistered' | 'recycled' | 'disabled') =>
    transaction(db.writes, (tx) =>
      changeImageState(tx, { id, from: ['available'], to, at: new Date() }),
    )
  return { ...system, call, refused, put, share, move }
}

/** Calls on one image that only its owner may make, right in form but for the image. */
const ownersOnly: readonly (readonly [string, object])[] = [
  ['AttachImageWatermark', { WatermarkName: 'approved' }],
  ['DeregisterImage', {}],
  ['DescribeImageAttribute', { Attribute: 'lastLaunchedTime' }],
  ['DescribeImageAttribute', { Attribute: 'launchPermission' }],
  ['DetachImageWatermark', { WatermarkKey: `${accountId}:approved` }],
  ['DisableImage', {}],
  ['DisableImageDeprecation', {}],
  ['DisableImageDeregistrationProtection', {}],
  ['EnableImage', {}],
  ['EnableImageDeprecation', { DeprecateAt: new Date('2035-01-01') }],
  ['EnableImageDeregistrationProtection', {}],
  ['ModifyImageAttribute', { Description: { Value: 'better' } }],
  ['ModifyImageAttribute', { LaunchPermission: { Add: [{ UserId: '333333333333' }] } }],
  ['ReplaceImageInstanceTypeSpecification', {}],
  ['ResetImageAttribute', { Attribute: 'launchPermission' }],
]
/** And those of everybody who sees it. */
const viewers: readonly (readonly [string, object])[] = [
  ['CancelImageLaunchPermission', {}],
  ['DescribeImageAttribute', { Attribute: 'description' }],
  ['GetImageAncestry', {}],
]

test('an image that is not there, not seen or gone is refused alike by every call', async (context) => {
  const system = await start(context)
  const { refused, call, put, share, move } = system
  const gone = await put('gone')
  await move(gone.id, 'deregistered')
  const binned = await put('binned')
  await move(binned.id, 'recycled')
  const hidden = await put('hidden', {}, theirs)
  const shared = await put('shared', {}, theirs)
  await share(shared.id)
  for (const [action, input] of [...ownersOnly, ...viewers]) {
    const on = (ImageId?: string) => ({ ...input, ...(ImageId !== undefined && { ImageId }) })
    await refused('MissingParameter', action, on())
    await refused('InvalidAMIID.Malformed', action, on('snap-12345678'), /expecting "ami-\.\.\."/)
    const unknown = newId('image')
    const text = (id: string) => new RegExp(`^The image id '\\[${id}\\]' does not exist$`)
    await refused('InvalidAMIID.NotFound', action, on(unknown), text(unknown))
    await refused('InvalidAMIID.NotFound', action, on(hidden.id), text(hidden.id))
    await refused('InvalidAMIID.Unavailable', action, on(gone.id), /is no longer available$/)
    await refused('InvalidAMIID.Unavailable', action, on(binned.id))
    const elsewhere = system.clientWith({ region: 'us-west-2' })
    await assert.rejects(call(action, on(shared.id), elsewhere), { name: 'InvalidAMIID.NotFound' })
  }
  for (const [action, input] of ownersOnly) {
    await refused('AuthFailure', action, { ...input, ImageId: shared.id })
  }
  const launch = { MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' }
  await refused('MissingParameter', 'RunInstances', launch)
  await refused('InvalidAMIID.Malformed', 'RunInstances', { ...launch, ImageId: 'web' })
  await refused('InvalidAMIID.NotFound', 'RunInstances', { ...launch, ImageId: newId('image') })
  await refused(
    'AuthFailure',
    'RunInstances',
    { ...launch, ImageId: hidden.id },
    new RegExp(`^Not authorized for images: \\[${hidden.id}\\]$`),
  )
  for (const { id } of [gone, binned]) {
    await refused('InvalidAMIID.Unavailable', 'RunInstances', { ...launch, ImageId: id })
  }
})

test('lists of images refuse what they cannot understand', async (context) => {
  const { refused, put } = await start(context)
  const { id } = await put('one')
  const [a, b] = [newId('image'), newId('image')]
  const list = (code: string, input: object, message?: RegExp) =>
    refused(code, 'DescribeImages', input, message)
  const both = new RegExp(`^The image ids '\\[${a}, ${b}\\]' do not exist$`)
  await list('InvalidAMIID.NotFound', { ImageIds: [a, id, b] }, both)
  // Only the first one is named.
  const malformed = /^Invalid id: "not_an_ami_id" \(expecting "ami-\.\.\."\)$/
  await list('InvalidAMIID.Malformed', { ImageIds: [a, 'not_an_ami_id', 'nor this'] }, malformed)
  await list('InvalidUserID.Malformed', { Owners: ['me'] })
  await list('InvalidUserID.Malformed', { ExecutableUsers: ['12345'] })
  await list('InvalidParameterValue', { MaxResults: 4 })
  await list('InvalidNextToken', { MaxResults: 5, NextToken: 'here' })
  const filter = (Name: string, Values?: string[]) => ({
    Filters: [{ Name, ...(Values && { Values }) }],
  })
  await list('InvalidParameterValue', filter('colour', ['red']), /^The filter 'colour' is invalid$/)
  await list('InvalidParameterValue', filter('name'))
  await list('FilterLimitExceeded', filter('name', Array.from({ length: 201 }, String)))
  const many = Array.from({ length: 51 }, () => ({ Name: 'name', Values: ['x'] }))
  await list('FilterLimitExceeded', { Filters: many })
})

test('an image is not made of what has no disk to make it of, nor named as it likes', async (context) => {
  const { db, refused, put, call } = await start(context)
  const image = await put('taken')
  const instance = await putInstance(db, owner, { imageId: image.id })
  const { id: InstanceId } = instance
  const bios = await putInstance(db, owner, { imageId: image.id, currentBootMode: 'legacy-bios' })
  const foreign = await putInstance(db, theirs, { imageId: image.id })
  const usual = { InstanceId, Name: 'web', NoReboot: true }
  const create = (code: string, input: object, message?: RegExp) =>
    refused(code, 'CreateImage', { ...usual, ...input }, message)
  await create('MissingParameter', { InstanceId: undefined })
  await create('MissingParameter', { Name: undefined })
  await create('InvalidInstanceID.Malformed', { InstanceId: 'web' })
  await create('InvalidInstanceID.NotFound', { InstanceId: newId('instance') })
  await create('InvalidInstanceID.NotFound', { InstanceId: foreign.id })
  for (const Name of ['ab', 'a'.repeat(129), 'a,b', 'ä b']) {
    await create('InvalidAMIName.Malformed', { Name }, /between 3 and 128 characters long/)
  }
  const duplicate = new RegExp(`^AMI name taken is already in use by AMI ${image.id}$`)
  await create('InvalidAMIName.Duplicate', { Name: 'taken' }, duplicate)
  await create('InvalidParameterValue', { Description: 'x'.repeat(256) })
  await create('InvalidParameterValue', { Description: 'web \u2014 db' }, /beyond ASCII/)
  const TagSpecifications = [{ ResourceType: 'volume', Tags: [{ Key: 'a', Value: 'b' }] }]
  const taggable = /^'volume' is not a valid taggable resource type for this operation\.$/
  await create('InvalidParameterValue', { TagSpecifications }, taggable)
  await create('InvalidParameterValue', { BootModeOverride: 'legacy-bios' })
  await create('InvalidParameterValue', { InstanceId: bios.id, BootModeOverride: 'uefi' })
  await create('UnsupportedOperation', { SnapshotLocation: 'local' })
  const map = (code: string, ...BlockDeviceMappings: object[]) =>
    create(code, { BlockDeviceMappings })
  const root = { DeviceName: '/dev/xvda' }
  await map('InvalidBlockDeviceMapping', { ...root, Ebs: { VolumeSize: 2 } })
  await map('InvalidBlockDeviceMapping', { ...root, Ebs: { VolumeType: 'gp2' } })
  await map('InvalidBlockDeviceMapping', { ...root, NoDevice: 'x' })
  await map('MissingParameter', { DeviceName: '/dev/sdc', Ebs: { DeleteOnTermination: true } })
  const added = { DeviceName: '/dev/sdc', Ebs: { VolumeSize: 1 } }
  await map('InvalidBlockDeviceMapping', added, added)
  const missing = { DeviceName: '/dev/sdc', Ebs: { SnapshotId: newId('snapshot') } }
  await map('InvalidSnapshot.NotFound', missing)
  const unheard = { DeviceName: '/dev/sdc', VirtualName: 'ephemeral99' }
  await map('InvalidBlockDeviceMapping', unheard)

  const states = ['pending', 'stopping', 'shutting-down', 'terminated'] as const
  for (const state of states) {
    const { id } = await putInstance(db, owner, { imageId: image.id, state })
    await create('InvalidParameterValue', { InstanceId: id }, /Instance is not in state/)
  }
  const ownDisk = await putInstance(db, owner, {
    imageId: image.id,
    rootDeviceType: 'instance-store',
  })
  await assert.rejects(call('CreateImage', { ...usual, InstanceId: ownDisk.id }))
})

test('so many images of one instance are made at once, and no more', async (context) => {
  const { db, refused, put, call } = await start(context)
  const image = await put('golden')
  const { id: InstanceId } = await putInstance(db, owner, { imageId: image.id })
  const another = await putInstance(db, owner, { imageId: image.id })
  const pending = (number: number) =>
    put(`pending ${number}`, { state: 'pending', sourceInstanceId: InstanceId })
  for (let number = 0; number < noRebootImagesAtOnceMax; number++) await pending(number)
  const wanted = { InstanceId, Name: 'one more' }
  const code = 'ConcurrentCreateImageNoRebootLimitExceeded'
  await refused(code, 'CreateImage', { ...wanted, NoReboot: true })
  await call('CreateImage', { ...wanted, InstanceId: another.id })
})

test('so many disks are copied to a Region at once, and no more', async (context) => {
  const { refused, put, call } = await start(context)
  const { id: SourceImageId } = await put('golden')
  const copy = (number: number) => ({ SourceRegion: region, SourceImageId, Name: `copy ${number}` })
  for (let number = 0; number < copiesAtOnceMax; number++) await call('CopyImage', copy(number))
  const tooMany =
    /^Too many snapshot copies in progress\. The limit is 20 for this destination region\.$/
  await refused('ResourceLimitExceeded', 'CopyImage', copy(99), tooMany)
})

test('an image is registered with what it can be started from, or not at all', async (context) => {
  const { db, refused, put, call } = await start(context)
  await put('taken')
  const disk = snapshotRow(owner, { volumeSizeGiB: 2 })
  const foreign = snapshotRow(theirs)
  await transaction(db.writes, async (tx) => {
    for (const one of [disk, foreign]) await insertSnapshot(tx, one)
  })
  const root = (ebs: object = {}) => [
    { DeviceName: '/dev/xvda', Ebs: { SnapshotId: disk.id, ...ebs } },
  ]
  const usual = {
    Name: 'web',
    RootDeviceName: '/dev/xvda',
    Architecture: 'x86_64',
    VirtualizationType: 'hvm',
    BlockDeviceMappings: root(),
  }
  const register = (code: string, input: object) =>
    refused(code, 'RegisterImage', { ...usual, ...input })
  await register('MissingParameter', { Name: undefined })
  await register('InvalidAMIName.Malformed', { Name: 'a:b' })
  await register('InvalidAMIName.Duplicate', { Name: 'taken' })
  await register('InvalidParameterValue', { Architecture: 'sparc' })
  await register('InvalidParameterValue', { VirtualizationType: 'xen' })
  await register('InvalidParameterValue', { BootMode: 'bios' })
  await register('InvalidParameterValue', { TpmSupport: 'v1.2', BootMode: 'uefi' })
  await register('InvalidParameterCombination', { TpmSupport: 'v2.0' })
  await register('InvalidParameterCombination', { TpmSupport: 'v2.0', BootMode: 'legacy-bios' })
  await register('InvalidParameterValue', { ImdsSupport: 'v1.0' })
  await register('InvalidParameterValue', { SriovNetSupport: 'full' })
  await register('InvalidParameterValue', { UefiData: 'AAAA', BootMode: 'uefi' })
  await register('InvalidParameterCombination', { UefiData: 'AAAA', BootMode: 'legacy-bios' })
  for (const name of ['KernelId', 'RamdiskId']) {
    await register('UnsupportedOperation', { [name]: 'aki-12345678' })
  }
  const map = (code: string, ...BlockDeviceMappings: object[]) =>
    register(code, { BlockDeviceMappings })
  await map('InvalidBlockDeviceMapping', ...root(), ...root())
  await map('InvalidBlockDeviceMapping', { DeviceName: '/dev/xvda', Ebs: { VolumeSize: 8 } })
  await map('InvalidBlockDeviceMapping', { DeviceName: '/dev/sdb', Ebs: { SnapshotId: disk.id } })
  await map('InvalidBlockDeviceMapping', ...root({ VolumeSize: 1 }))
  await map('InvalidBlockDeviceMapping', ...root({ Encrypted: true }))
  await map('InvalidBlockDeviceMapping', ...root({ Encrypted: false }))
  await map('InvalidSnapshotID.Malformed', ...root({ SnapshotId: 'disk' }))
  await map('InvalidSnapshot.NotFound', ...root({ SnapshotId: newId('snapshot') }))
  await map('InvalidSnapshot.NotFound', ...root({ SnapshotId: foreign.id }))
  // Who shares a snapshot with some can take it back.
  await transaction(db.writes, (tx) => addSnapshotPermissions(tx, foreign.id, [accountId]))
  await map('AuthFailure', ...root({ SnapshotId: foreign.id }))
  await map('AuthFailure', ...root(), { DeviceName: '/dev/sdb', Ebs: { SnapshotId: foreign.id } })
  await transaction(db.writes, (tx) => addSnapshotPermissions(tx, foreign.id, ['all']))
  await call('RegisterImage', {
    ...usual,
    Name: 'of all',
    BlockDeviceMappings: root({ SnapshotId: foreign.id }),
  })
  for (const VolumeType of ['st1', 'sc1']) {
    await map('BootForVolumeTypeUnsupported', ...root({ VolumeType, VolumeSize: 125 }))
  }
  await call('RegisterImage', usual)
})

test('attributes are changed one at a time, and all of a change or nothing', async (context) => {
  const { refused, put, call } = await start(context)
  const { id: ImageId } = await put('one')
  const modify = (code: string, input: object) =>
    refused(code, 'ModifyImageAttribute', { ImageId, ...input })
  const Description = { Value: 'better' }
  const ImdsSupport = { Value: 'v2.0' }
  const UserIds = [other]
  const share = (...Add: object[]) => ({ LaunchPermission: { Add } })
  await modify('InvalidParameterCombination', {})
  await modify('InvalidParameterCombination', { Description, ImdsSupport })
  await modify('InvalidParameterCombination', { Description, ...share({ UserId: other }) })
  await modify('InvalidParameterCombination', { Attribute: 'launchPermission' })
  await modify('InvalidRequest', { Attribute: 'colour', Value: 'red' })
  await modify('InvalidRequest', { Attribute: 'bootMode', Value: 'uefi' })
  await modify('InvalidParameterValue', { ImdsSupport: { Value: 'v1.0' } })
  await modify('InvalidParameterValue', { Description: { Value: 'x'.repeat(256) } })
  await modify('MissingParameter', { Attribute: 'launchPermission', UserIds })
  await modify('InvalidParameterValue', { UserIds, OperationType: 'replace' })
  await modify('UnsupportedOperation', { ProductCodes: ['abc'], OperationType: 'add' })
  const item = 'InvalidAMIAttributeItemValue'
  for (const bad of [
    { UserId: '12345' },
    { UserId: 'self' },
    { Group: 'everyone' },
    { OrganizationArn: 'o-aaaaaaaaaa' },
    { OrganizationArn: `arn:aws:organizations::${accountId}:ou/o-aaaaaaaaaa/ou-aaaa-11111111` },
    { OrganizationalUnitArn: 'ou-aaaa-11111111' },
  ]) {
    await modify(item, share({ UserId: other }, bad))
  }
  const kept = await call('DescribeImageAttribute', { ImageId, Attribute: 'launchPermission' })
  assert.deepEqual((kept as sdk.ImageAttribute).LaunchPermissions, [])

  for (const Attribute of ['description', 'productCodes', 'colour']) {
    await refused('InvalidRequest', 'ResetImageAttribute', { ImageId, Attribute })
  }
  const describe = (code: string, Attribute: string) =>
    refused(code, 'DescribeImageAttribute', { ImageId, Attribute })
  await describe('InvalidRequest', 'colour')
  await describe('AuthFailure', 'blockDeviceMapping')
  await refused('MissingParameter', 'EnableImageDeprecation', { ImageId })
})

test('what is not available yet, or any more, is not disabled, shared or copied', async (context) => {
  const { refused, put } = await start(context)
  for (const state of ['pending', 'failed'] as const) {
    const { id: ImageId } = await put(state, { state })
    const gone = (action: string, input: object) =>
      refused('InvalidAMIID.Unavailable', action, { ImageId, ...input })
    await gone('DisableImage', {})
    await gone('EnableImage', {})
    await gone('ModifyImageAttribute', { Description: { Value: 'better' } })
    await gone('RunInstances', { MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' })
    const copy = { SourceRegion: region, SourceImageId: ImageId, Name: 'a copy' }
    await refused('InvalidAMIID.Unavailable', 'CopyImage', copy)
  }
})

test('an image comes back from the Recycle Bin where its name is still free', async (context) => {
  const { refused, put, move } = await start(context)
  const bin = async (name: string) => {
    const { id } = await put(name)
    await move(id, 'recycled')
    return id
  }
  const ImageId = await bin('web')
  const list = (code: string, ImageIds: string[]) =>
    refused(code, 'ListImagesInRecycleBin', { ImageIds })
  const here = await put('web')
  await list('InvalidAMIID.NotFound', [ImageId, here.id])
  await list('InvalidAMIID.Malformed', ['web'])
  const many = Array.from({ length: 21 }, () => newId('image'))
  await list('InvalidParameterValue', many)
  const restore = (code: string, id?: string) =>
    refused(code, 'RestoreImageFromRecycleBin', { ImageId: id })
  await restore('MissingParameter')
  await restore('InvalidAMIID.Malformed', 'web')
  await restore('InvalidAMIID.NotFound', here.id)
  await restore('InvalidAMIName.Duplicate', ImageId)
})

test('settings, watermarks and reports refuse what they cannot be', async (context) => {
  const { refused, put, call } = await start(context)
  await refused('MissingParameter', 'EnableAllowedImagesSettings', {})
  const value = 'InvalidParameterValue'
  await refused(value, 'EnableAllowedImagesSettings', { AllowedImagesSettingsState: 'disabled' })
  await refused('MissingParameter', 'EnableImageBlockPublicAccess', {})
  const blocked = { ImageBlockPublicAccessState: 'block-all-sharing' }
  await refused(value, 'EnableImageBlockPublicAccess', blocked)
  const { id: ImageId } = await put('one')
  const types = (...SupportedInstanceTypes: string[]) => ({
    ImageId,
    InstanceTypeSpecification: { SupportedInstanceTypes },
  })
  await refused(value, 'ReplaceImageInstanceTypeSpecification', types('T3 NANO'))
  for (let number = 0; number < watermarksMax; number++) {
    await call('AttachImageWatermark', { ImageId, WatermarkName: `mark ${number}` })
  }
  const more = { ImageId, WatermarkName: 'one more' }
  await refused('ResourceLimitExceeded', 'AttachImageWatermark', more)
  const metadata = (code: string, input: object) =>
    refused(code, 'DescribeInstanceImageMetadata', input)
  await metadata('InvalidInstanceID.NotFound', { InstanceIds: [newId('instance')] })
  await metadata('InvalidInstanceID.Malformed', { InstanceIds: ['web'] })
  await metadata(value, { Filters: [{ Name: 'colour', Values: ['red'] }] })
  await metadata('InvalidNextToken', { MaxResults: 5, NextToken: 'here' })
  const references = (code: string, ImageIds: string[]) =>
    refused(code, 'DescribeImageReferences', { ImageIds, IncludeAllResourceTypes: true })
  await references(
    value,
    Array.from({ length: 11 }, () => newId('image')),
  )
  await references('InvalidAMIID.Malformed', ['web'])
})

test('what EC2 has and there is not here is refused by its name', async (context) => {
  const { refused } = await start(context)
  const bundle = { InstanceId: newId('instance'), Storage: { S3: { Bucket: 'a' } } }
  for (const [action, input] of [
    ['BundleInstance', bundle],
    ['DescribeFpgaImages', {}],
    ['CopyFpgaImage', { SourceFpgaImageId: 'afi-1', SourceRegion: region }],
  ] as const) {
    await refused('UnsupportedOperation', action, input, new RegExp(action))
  }
})

test('nobody has tasks that bundle instances', async (context) => {
  const { ec2, refused } = await start(context)
  const notFound = 'InvalidBundleID.NotFound'
  const Filters = [{ Name: 'state', Values: ['pending'] }]
  for (const input of [{}, { Filters }]) {
    const { BundleTasks = [] } = await ec2.send(new sdk.DescribeBundleTasksCommand(input))
    assert.deepEqual(BundleTasks, [])
  }
  await refused(notFound, 'DescribeBundleTasks', { BundleIds: ['bun-12345678'] }, /bun-12345678/)
  await refused(notFound, 'CancelBundleTask', { BundleId: 'bun-12345678' }, /bun-12345678/)
  const unknown = { Filters: [{ Name: 'colour', Values: ['red'] }] }
  await refused('InvalidParameterValue', 'DescribeBundleTasks', unknown)
})
