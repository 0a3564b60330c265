/** The life of an image after it was made, as its owner and others see it through the SDK. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CancelImageLaunchPermissionCommand,
  CreateTagsCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  type DescribeImagesRequest,
  DisableAllowedImagesSettingsCommand,
  DisableImageBlockPublicAccessCommand,
  DisableImageCommand,
  DisableImageDeprecationCommand,
  DisableImageDeregistrationProtectionCommand,
  type EC2Client,
  EnableAllowedImagesSettingsCommand,
  EnableImageBlockPublicAccessCommand,
  EnableImageCommand,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  GetAllowedImagesSettingsCommand,
  GetImageBlockPublicAccessStateCommand,
  ListImagesInRecycleBinCommand,
  ModifyImageAttributeCommand,
  ReplaceImageCriteriaInAllowedImagesSettingsCommand,
  ReplaceImageInstanceTypeSpecificationCommand,
  RestoreImageFromRecycleBinCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { imageReconciler } from '../src/images/reconcile.ts'
import { insertImage } from '../src/images/store.ts'
import { anImage } from '../src/images/testing.ts'
import { organizationArn, unitArn } from '../src/organizations/organization.ts'
import { insertMember, insertOrganization, insertUnit } from '../src/organizations/store.ts'
import { insertRule } from '../src/recycle-bin/store.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { aSnapshot } from '../src/snapshots/testing.ts'
import { accountId, region, startSystem } from './system.ts'

const other = '222222222222'
const ImageId = anImage(1).id
const dayMs = 24 * 60 * 60 * 1000
const yearMs = 365 * dayMs
const publish = { ImageId, LaunchPermission: { Add: [{ Group: 'all' as const }] } }
const share = { ImageId, LaunchPermission: { Add: [{ UserId: other }] } }

/** Two accounts, of which one has an image, made now. */
async function start(context: TestContext) {
  const system = await startSystem(context, { isIdle: true })
  const createdAt = new Date()
  await transaction(system.db.writes, async (tx) => {
    await insertSnapshot(tx, aSnapshot(1, { accountId, volumeSizeGiB: 2 }))
    await insertImage(tx, anImage(1, { accountId, createdAt }))
  })
  const owner = system.ec2
  const sharee = await system.client(other)
  const see = async (client: EC2Client, input: DescribeImagesRequest = {}) =>
    (await client.send(new DescribeImagesCommand(input))).Images ?? []
  const one = async (client = owner, input: DescribeImagesRequest = {}) => {
    const [image] = await see(client, { ImageIds: [ImageId], ...input })
    assert(image)
    return image
  }
  const launch = async (client: EC2Client, InstanceType: 't3.nano' | 't3.micro' = 't3.nano') =>
    await client.send(new RunInstancesCommand({ ImageId, InstanceType, MinCount: 1, MaxCount: 1 }))
  return { ...system, owner, sharee, see, one, launch, createdAt }
}

test('a deprecated image is still there for who knows it, and no longer found by others', async (context) => {
  const { db, owner, sharee, see, one, launch } = await start(context)
  await owner.send(new ModifyImageAttributeCommand(share))
  const deprecate = (DeprecateAt: Date) =>
    owner.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt }))
  for (const at of [Date.now() - 1000, Date.now() + 10 * yearMs + 4 * dayMs]) {
    await assert.rejects(deprecate(new Date(at)), { name: 'InvalidParameterValue' })
  }
  await deprecate(new Date('2030-05-06T07:08:29Z'))
  assert.equal((await one()).DeprecationTime, '2030-05-06T07:08:00.000Z')
  await deprecate(new Date('2030-05-06T07:08:31Z'))
  assert.equal((await one(sharee)).DeprecationTime, '2030-05-06T07:09:00.000Z')
  assert.equal((await see(sharee)).length, 1)

  const past = Date.now() - 1000
  await db.writes.updateTable('images').set({ deprecates_at_ms: past }).execute()
  assert.equal((await see(sharee)).length, 0)
  assert.equal((await see(sharee, { IncludeDeprecated: true })).length, 1)
  assert.equal((await see(sharee, { ImageIds: [ImageId] })).length, 1)
  assert.equal((await see(owner)).length, 1)
  assert.equal((await launch(sharee)).Instances?.length, 1)
  // Its owner alone is told of that.
  assert.notEqual((await one()).LastLaunchedTime, undefined)
  assert.equal((await one(sharee)).LastLaunchedTime, undefined)
  const lastLaunched = { ImageId, Attribute: 'lastLaunchedTime' } as const
  const { LastLaunchedTime } = await owner.send(new DescribeImageAttributeCommand(lastLaunched))
  assert.equal(LastLaunchedTime?.Value, (await one()).LastLaunchedTime)
  await assert.rejects(sharee.send(new DescribeImageAttributeCommand(lastLaunched)), {
    name: 'AuthFailure',
  })

  await owner.send(new DisableImageDeprecationCommand({ ImageId }))
  assert.equal((await one()).DeprecationTime, undefined)
  await assert.rejects(sharee.send(new DisableImageDeprecationCommand({ ImageId })), {
    name: 'AuthFailure',
  })
})

test('a public image is deprecated two years after it was made, or sooner', async (context) => {
  const { owner, one, createdAt } = await start(context)
  await owner.send(new DisableImageBlockPublicAccessCommand({}))
  await owner.send(new ModifyImageAttributeCommand(publish))
  const inTwoYears = new Date(createdAt)
  inTwoYears.setUTCFullYear(inTwoYears.getUTCFullYear() + 2)
  assert.equal((await one()).DeprecationTime, inTwoYears.toISOString())
  const deprecate = (DeprecateAt: Date) =>
    owner.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt }))
  await assert.rejects(deprecate(new Date(inTwoYears.getTime() + dayMs)), {
    name: 'InvalidParameterValue',
  })
  await assert.rejects(owner.send(new DisableImageDeprecationCommand({ ImageId })), {
    name: 'OperationNotPermitted',
  })
  const sooner = new Date(Math.ceil(createdAt.getTime() / dayMs + 30) * dayMs)
  await deprecate(sooner)
  const { LaunchPermission } = publish
  await owner.send(
    new ModifyImageAttributeCommand({
      ImageId,
      LaunchPermission: { Remove: LaunchPermission.Add },
    }),
  )
  await owner.send(new ModifyImageAttributeCommand(publish))
  assert.equal((await one()).DeprecationTime, sooner.toISOString())
})

test('a disabled image is nobody’s any more, until it is enabled and shared again', async (context) => {
  const { owner, sharee, see, one, launch } = await start(context)
  await owner.send(new ModifyImageAttributeCommand(share))
  assert.equal((await see(sharee)).length, 1)
  await assert.rejects(sharee.send(new DisableImageCommand({ ImageId })), { name: 'AuthFailure' })
  await owner.send(new DisableImageCommand({ ImageId }))
  assert.equal((await see(owner)).length, 0)
  const IncludeDisabled = true
  assert.equal((await see(owner, { IncludeDisabled }))[0]?.State, 'disabled')
  assert.equal((await see(sharee, { IncludeDisabled })).length, 0)
  const Filters = [{ Name: 'state', Values: ['disabled'] }]
  await assert.rejects(see(owner, { Filters }), {
    name: 'InvalidParameter',
    message:
      "When filtering by the 'disabled' state, 'IncludeDisabled' must be set to 'true' in the request.",
  })
  assert.equal((await see(owner, { Filters, IncludeDisabled })).length, 1)
  await assert.rejects(launch(owner), {
    name: 'InvalidAMIID.Unavailable',
    message: `The image id '[${ImageId}]' is no longer available`,
  })
  await assert.rejects(owner.send(new ModifyImageAttributeCommand(share)), {
    name: 'InvalidAMIID.Unavailable',
  })
  const SnapshotId = 'snap-00000000000000001'
  await assert.rejects(owner.send(new DeleteSnapshotCommand({ SnapshotId })), {
    name: 'InvalidSnapshot.InUse',
  })
  await owner.send(new EnableImageCommand({ ImageId }))
  assert.equal((await one()).State, 'available')
  assert.equal((await see(sharee)).length, 0)
  assert.equal((await launch(owner)).Instances?.length, 1)
})

test('a protected image is not deregistered, nor on the day after', async (context) => {
  const { db, owner, one } = await start(context)
  const protection = async () => (await one()).DeregistrationProtection
  const deregister = () => owner.send(new DeregisterImageCommand({ ImageId }))
  const protect = (WithCooldown?: boolean) =>
    owner.send(new EnableImageDeregistrationProtectionCommand({ ImageId, WithCooldown }))
  const unprotect = () => owner.send(new DisableImageDeregistrationProtectionCommand({ ImageId }))
  assert.equal(await protection(), 'disabled')
  await protect()
  assert.equal(await protection(), 'enabled-without-cooldown')
  await assert.rejects(deregister(), { name: 'OperationNotPermitted' })
  await unprotect()
  assert.equal(await protection(), 'disabled')

  await protect(true)
  assert.equal(await protection(), 'enabled-with-cooldown')
  await unprotect()
  await assert.rejects(deregister(), { name: 'OperationNotPermitted' })
  const shown = /^disabled after (.*)$/.exec((await protection()) ?? '')?.[1] ?? ''
  assert(new Date(shown).getTime() > Date.now() + dayMs - 60_000)
  const { DeregistrationProtection } = await owner.send(
    new DescribeImageAttributeCommand({ ImageId, Attribute: 'deregistrationProtection' }),
  )
  assert.equal(DeregistrationProtection?.Value, `disabled after ${shown}`)
  // A protection without a cooldown in between is no way around it.
  await protect()
  await unprotect()
  await assert.rejects(deregister(), { name: 'OperationNotPermitted' })
  const past = Date.now() - 1
  await db.writes.updateTable('images').set({ protected_until_ms: past }).execute()
  assert.equal(await protection(), 'disabled')
  assert.equal((await deregister()).Return, true)
})

test('an account that blocks public access makes no image public that was not', async (context) => {
  const { owner, sharee, see, one } = await start(context)
  const state = async () =>
    (await owner.send(new GetImageBlockPublicAccessStateCommand({}))).ImageBlockPublicAccessState
  assert.equal(await state(), 'block-new-sharing')
  await assert.rejects(owner.send(new ModifyImageAttributeCommand(publish)), {
    name: 'OperationNotPermitted',
    message:
      "You can't publicly share this image because block public access for AMIs is enabled for this account. To publicly share the image, you must call the DisableImageBlockPublicAccess API.",
  })
  await owner.send(new ModifyImageAttributeCommand(share))
  await owner.send(new DisableImageBlockPublicAccessCommand({}))
  assert.equal(await state(), 'unblocked')
  await owner.send(new ModifyImageAttributeCommand(publish))
  const block = { ImageBlockPublicAccessState: 'block-new-sharing' } as const
  await owner.send(new EnableImageBlockPublicAccessCommand(block))
  assert.equal(await state(), 'block-new-sharing')
  assert.equal((await one()).Public, true)
  assert.equal((await see(sharee, { ExecutableUsers: ['all'] })).length, 1)
})

test('one gives back what was shared with one’s account, and nothing else', async (context) => {
  const { owner, sharee, see } = await start(context)
  const cancel = () => sharee.send(new CancelImageLaunchPermissionCommand({ ImageId }))
  await assert.rejects(cancel(), { name: 'InvalidAMIID.NotFound' })
  await owner.send(new ModifyImageAttributeCommand(share))
  await cancel()
  assert.equal((await see(sharee)).length, 0)
  await owner.send(new DisableImageBlockPublicAccessCommand({}))
  await owner.send(new ModifyImageAttributeCommand(publish))
  await assert.rejects(cancel(), { name: 'InvalidRequest' })
})

test('an image is shared with whoever is in an organization, or in one of its units', async (context) => {
  const { db, owner, sharee, see, launch } = await start(context)
  const organization = {
    id: 'o-aaaaaaaaaa',
    managementAccountId: accountId,
    rootId: 'r-aaaa',
    featureSet: 'ALL' as const,
    createdAt: new Date(),
  }
  const unit = { organizationId: organization.id, name: 'unit' }
  await transaction(db.writes, async (tx) => {
    await insertOrganization(tx, organization)
    await insertUnit(tx, { ...unit, id: 'ou-aaaa-11111111', parentId: 'r-aaaa' })
    await insertUnit(tx, { ...unit, id: 'ou-aaaa-22222222', parentId: 'ou-aaaa-11111111' })
    await insertMember(tx, {
      accountId: other,
      organizationId: organization.id,
      parentId: 'ou-aaaa-22222222',
      name: 'other',
      email: 'other@example.com',
      joinedMethod: 'CREATED',
      joinedAt: new Date(),
      closure: undefined,
    })
  })
  const outer = { OrganizationalUnitArn: unitArn(organization, 'ou-aaaa-11111111') }
  const elsewhere = { OrganizationalUnitArn: unitArn(organization, 'ou-aaaa-33333333') }
  const everybody = { OrganizationArn: organizationArn(organization) }
  const modify = (LaunchPermission: object) =>
    owner.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission }))
  await modify({ Add: [elsewhere] })
  assert.equal((await see(sharee)).length, 0)
  await assert.rejects(launch(sharee), { name: 'AuthFailure' })
  for (const one of [outer, everybody]) {
    await modify({ Add: [one] })
    const { LaunchPermissions } = await owner.send(
      new DescribeImageAttributeCommand({ ImageId, Attribute: 'launchPermission' }),
    )
    assert.deepEqual(LaunchPermissions?.length, 2)
    assert.equal((await see(sharee, { ExecutableUsers: ['self'] })).length, 1)
    // What others may launch as members one is not told.
    assert.equal((await see(owner, { ExecutableUsers: [other] })).length, 0)
    assert.equal((await launch(sharee)).Instances?.length, 1)
    await assert.rejects(sharee.send(new CancelImageLaunchPermissionCommand({ ImageId })), {
      name: 'InvalidRequest',
    })
    await modify({ Remove: [one] })
    assert.equal((await see(sharee)).length, 0)
  }
  await assert.rejects(modify({ Add: [{ OrganizationArn: 'o-aaaaaaaaaa' }] }), {
    name: 'InvalidAMIAttributeItemValue',
  })
})

test('an image can be meant for some instance types', async (context) => {
  const { owner, see, one, launch } = await start(context)
  const say = (InstanceTypeSpecification?: object) =>
    owner.send(
      new ReplaceImageInstanceTypeSpecificationCommand({ ImageId, InstanceTypeSpecification }),
    )
  await say({ SupportedInstanceTypes: ['t3.*', 'c5*'], UnsupportedInstanceTypes: ['t3.nano'] })
  assert.deepEqual((await one()).InstanceTypeSpecification, {
    SupportedInstanceTypes: [{ InstanceType: 't3.*' }, { InstanceType: 'c5*' }],
    UnsupportedInstanceTypes: [{ InstanceType: 't3.nano' }],
  })
  await assert.rejects(launch(owner), { name: 'InvalidParameterCombination' })
  assert.equal((await launch(owner, 't3.micro')).Instances?.length, 1)
  const Filters = [
    {
      Name: 'instance-type-specification.unsupported-instance-type',
      Values: ['t3.nano'],
    },
  ]
  assert.equal((await see(owner, { Filters })).length, 1)
  await say()
  assert.equal((await one()).InstanceTypeSpecification, undefined)
  assert.equal((await see(owner, { Filters })).length, 0)
  assert.equal((await launch(owner)).Instances?.length, 1)
})

test('an account sees and launches no image of others that it does not allow', async (context) => {
  const { owner, sharee, see, one, launch } = await start(context)
  await owner.send(new ModifyImageAttributeCommand(share))
  const allow = (...ImageCriteria: object[]) =>
    sharee.send(new ReplaceImageCriteriaInAllowedImagesSettingsCommand({ ImageCriteria }))
  const enable = (AllowedImagesSettingsState: 'audit-mode' | 'enabled') =>
    sharee.send(new EnableAllowedImagesSettingsCommand({ AllowedImagesSettingsState }))
  assert.equal((await one(sharee)).ImageAllowed, undefined)

  const none = { ImageProviders: ['none'] }
  await allow(none)
  await enable('audit-mode')
  assert.equal((await one(sharee)).ImageAllowed, false)
  const isAllowed = [{ Name: 'image-allowed', Values: ['true'] }]
  assert.equal((await see(sharee, { Filters: isAllowed })).length, 0)
  assert.equal((await launch(sharee)).Instances?.length, 1)

  await enable('enabled')
  assert.deepEqual(
    { ...(await sharee.send(new GetAllowedImagesSettingsCommand({}))), $metadata: {} },
    { State: 'enabled', ImageCriteria: [none], ManagedBy: 'account', $metadata: {} },
  )
  assert.equal((await see(sharee)).length, 0)
  await assert.rejects(see(sharee, { ImageIds: [ImageId] }), { name: 'InvalidAMIID.NotFound' })
  await assert.rejects(launch(sharee), {
    name: 'InvalidAMIID.NotFound',
    message: `The image id '[${ImageId}]' does not exist`,
  })
  // Another account's settings are its own, and nobody's restrict their own images.
  assert.equal((await see(owner)).length, 1)

  await allow(none, {
    ImageProviders: [accountId],
    ImageNames: ['image-*'],
    CreationDateCondition: { MaximumDaysSinceCreated: 1 },
    DeprecationTimeCondition: { MaximumDaysSinceDeprecated: 0 },
  })
  assert.equal((await one(sharee)).ImageAllowed, true)
  assert.equal((await launch(sharee)).Instances?.length, 1)
  await allow({ ImageProviders: [accountId], ImageNames: ['golden-*'] })
  assert.equal((await see(sharee)).length, 0)
  await assert.rejects(allow({ ImageProviders: ['none', accountId] }), {
    name: 'InvalidParameterValue',
  })
  await sharee.send(new DisableAllowedImagesSettingsCommand({}))
  assert.equal((await see(sharee)).length, 1)
})

test('a deregistered image that a rule retains comes back from the bin, or goes for good', async (context) => {
  const { db, owner, sharee, see, one, launch } = await start(context)
  await owner.send(new ModifyImageAttributeCommand(share))
  await transaction(db.writes, (tx) =>
    insertRule(tx, {
      id: 'abcdefghijk',
      accountId,
      region,
      resourceType: 'EC2_IMAGE',
      retentionDays: 7,
      description: '',
      resourceTags: [],
      excludeResourceTags: [],
      createdAt: new Date(),
      lock: undefined,
      revision: 1,
    }),
  )
  const SnapshotId = 'snap-00000000000000001'
  const { DeleteSnapshotResults } = await owner.send(
    new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }),
  )
  assert.deepEqual(DeleteSnapshotResults, [{ SnapshotId, ReturnCode: 'skipped' }])
  const { Images: [binned] = [] } = await owner.send(
    new ListImagesInRecycleBinCommand({ ImageIds: [ImageId] }),
  )
  assert.equal(binned?.Name, 'image-1')
  const stay = Number(binned.RecycleBinExitTime) - Number(binned.RecycleBinEnterTime)
  assert.equal(stay, 7 * dayMs)
  for (const client of [owner, sharee]) {
    const all = { IncludeDisabled: true, IncludeDeprecated: true }
    assert.equal((await see(client, all)).length, 0)
    await assert.rejects(launch(client), { name: 'InvalidAMIID.Unavailable' })
  }
  await assert.rejects(owner.send(new DisableImageCommand({ ImageId })), {
    name: 'InvalidAMIID.Unavailable',
  })
  await assert.rejects(owner.send(new DeleteSnapshotCommand({ SnapshotId })), {
    name: 'InvalidSnapshot.InUse',
  })
  await assert.rejects(sharee.send(new RestoreImageFromRecycleBinCommand({ ImageId })), {
    name: 'InvalidAMIID.NotFound',
  })
  const tag = new CreateTagsCommand({ Resources: [ImageId], Tags: [{ Key: 'a', Value: 'b' }] })
  await assert.rejects(sharee.send(tag), { name: 'InvalidAMIID.NotFound' })
  await owner.send(tag)
  await owner.send(new RestoreImageFromRecycleBinCommand({ ImageId }))
  assert.equal((await one(sharee)).State, 'available')
  assert.deepEqual((await one(owner)).Tags, [{ Key: 'a', Value: 'b' }])

  await owner.send(new DeregisterImageCommand({ ImageId }))
  const reconciler = imageReconciler({ db, now: () => new Date(Date.now() + 7 * dayMs + 1000) })
  assert.deepEqual(await reconciler.due(), [ImageId])
  await reconciler.step(ImageId)
  const { Images } = await owner.send(new ListImagesInRecycleBinCommand({}))
  assert.deepEqual(Images, [])
  await owner.send(new DeleteSnapshotCommand({ SnapshotId }))
})
