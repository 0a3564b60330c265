/** What is explained of a call is what the call comes to. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import {
  CopyImageCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DisableAllowedImagesSettingsCommand,
  DisableImageBlockPublicAccessCommand,
  DisableImageCommand,
  type EC2Client,
  EC2ServiceException,
  EnableAllowedImagesSettingsCommand,
  EnableImageBlockPublicAccessCommand,
  EnableImageDeregistrationProtectionCommand,
  GetImageAncestryCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  ReplaceImageCriteriaInAllowedImagesSettingsCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import fc from 'fast-check'
import { callImago } from '../src/cli/imago-client.ts'
import { transaction } from '../src/db/database.ts'
import { setDeprecation } from '../src/images/life-store.ts'
import { insertImage } from '../src/images/store.ts'
import { anImage } from '../src/images/testing.ts'
import { Secret } from '../src/lib/secret.ts'
import type { CompletedSnapshot } from '../src/snapshots/snapshot.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { aSnapshot } from '../src/snapshots/testing.ts'
import { startWithUsers } from './iam-clients.ts'
import { callerOf } from './kms-sdk.ts'
import { accountId, type ClientSettings, region } from './system.ts'

const other = '222222222222'
const SnapshotId = 'snap-00000000000000001' as const
const dayMs = 86_400_000

async function start(context: TestContext) {
  const users = await startWithUsers(context)
  const { system, admin } = users
  const sharee = await system.client(other)
  const now = new Date()
  const putSnapshot = (changes: Partial<CompletedSnapshot> = {}) =>
    transaction(system.db.writes, (tx) =>
      insertSnapshot(tx, aSnapshot(1, { accountId, volumeSizeGiB: 2, ...changes })),
    )
  await putSnapshot()
  let made = 0
  const makeImage = async (changes: Parameters<typeof anImage>[1] = {}) => {
    made++
    const image = anImage(made, { accountId, createdAt: now, ...changes })
    await transaction(system.db.writes, (tx) => insertImage(tx, image))
    return image.id
  }
  const explain = async (settings: ClientSettings, asked: object) => {
    const { accessKeyId: id, secretAccessKey } = settings.credentials
    const key = { id, secret: new Secret(secretAccessKey) }
    const access = { endpoint: system.endpoint, region, key }
    return await callImago(access, 'POST', '/imago/v1/explanations', asked)
  }
  return { ...users, ec2: admin.ec2, sharee, makeImage, putSnapshot, explain }
}

const launch = { MinCount: 1, MaxCount: 1 } as const

const doing = {
  async DescribeImages(client: EC2Client, ImageId: string) {
    const { Images = [] } = await client.send(new DescribeImagesCommand({}))
    return Images.some((image) => image.ImageId === ImageId) ? 'allowed' : 'hidden'
  },
  async GetImageAncestry(client: EC2Client, ImageId: string) {
    await client.send(new GetImageAncestryCommand({ ImageId }))
    return 'allowed'
  },
  async RunInstances(client: EC2Client, ImageId: string) {
    await client.send(new RunInstancesCommand({ ...launch, ImageId }))
    return 'allowed'
  },
  async CopyImage(client: EC2Client, SourceImageId: string) {
    const Name = `copy ${randomUUID()}`
    await client.send(new CopyImageCommand({ SourceImageId, SourceRegion: region, Name }))
    return 'allowed'
  },
  async ModifyImageAttribute(client: EC2Client, ImageId: string) {
    const LaunchPermission = { Add: [{ Group: 'all' as const }] }
    await client.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission }))
    return 'allowed'
  },
  async DeregisterImage(client: EC2Client, ImageId: string) {
    await client.send(new DeregisterImageCommand({ ImageId }))
    return 'allowed'
  },
} as const

const codeOf = (error: unknown): string => {
  assert(error instanceof EC2ServiceException, String(error))
  return error.name
}

const actions = Object.keys(doing) as (keyof typeof doing)[]
const lives = fc.record({
  isOwn: fc.boolean(),
  isShared: fc.boolean(),
  isPublic: fc.boolean(),
  isDisabled: fc.boolean(),
  isDeprecated: fc.boolean(),
  isProtected: fc.boolean(),
  hasDisks: fc.boolean(),
  blocksPublic: fc.boolean(),
  allowed: fc.constantFrom('disabled', 'enabled', 'audit-mode'),
  provider: fc.constantFrom(accountId, '999999999999'),
  action: fc.constantFrom(...actions),
})

test('what is explained of a call is what it comes to', async (context) => {
  const { system, ec2, sharee, makeImage, explain } = await start(context)
  const operator = system.settingsWith()
  const life = async (chosen: typeof lives extends fc.Arbitrary<infer T> ? T : never) => {
    const ImageId = await makeImage()
    await ec2.send(new DisableImageBlockPublicAccessCommand({}))
    const Add = [
      ...(chosen.isShared ? [{ UserId: other }] : []),
      ...(chosen.isPublic ? [{ Group: 'all' as const }] : []),
    ]
    if (Add.length > 0) {
      await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add } }))
    }
    await ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId,
        OperationType: chosen.hasDisks ? 'add' : 'remove',
        UserIds: [other],
      }),
    )
    if (chosen.isDeprecated) {
      const image = { id: ImageId, isPublic: chosen.isPublic }
      await transaction(system.db.writes, (tx) =>
        setDeprecation(tx, image, new Date(Date.now() - dayMs)),
      )
    }
    if (chosen.isProtected) {
      await ec2.send(new EnableImageDeregistrationProtectionCommand({ ImageId }))
    }
    if (chosen.isDisabled) await ec2.send(new DisableImageCommand({ ImageId }))
    if (chosen.allowed === 'disabled') {
      await sharee.send(new DisableAllowedImagesSettingsCommand({}))
    } else {
      const ImageCriteria = [{ ImageProviders: [chosen.provider] }]
      await sharee.send(new ReplaceImageCriteriaInAllowedImagesSettingsCommand({ ImageCriteria }))
      const AllowedImagesSettingsState = chosen.allowed as 'enabled'
      await sharee.send(new EnableAllowedImagesSettingsCommand({ AllowedImagesSettingsState }))
    }
    if (chosen.blocksPublic) {
      const ImageBlockPublicAccessState = 'block-new-sharing'
      await ec2.send(new EnableImageBlockPublicAccessCommand({ ImageBlockPublicAccessState }))
    }
    const { action, isOwn } = chosen
    const said = await explain(operator, {
      principal: isOwn ? accountId : other,
      action,
      imageId: ImageId,
      isToPublish: true,
    })
    const { code } = (said['decisive'] ?? {}) as { readonly code?: string }
    let done: string
    try {
      done = await doing[action](isOwn ? ec2 : sharee, ImageId)
    } catch (error) {
      done = codeOf(error)
    }
    // A list answers no code for what it leaves out.
    const told = action === 'DescribeImages' || code === undefined ? said['outcome'] : code
    assert.equal(told, done)
    // No more than five may be public at a time.
    const Remove = [{ Group: 'all' as const }]
    const toPrivate = new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Remove } })
    const isGone = action === 'DeregisterImage' && done === 'allowed'
    if (!chosen.isDisabled && !isGone) await ec2.send(toPrivate)
  }
  await fc.assert(fc.asyncProperty(lives, life), { numRuns: 50 })
})

test('it is told which statement of a policy refuses or lets pass', async (context) => {
  const { system, admin, sharee, makeImage, explain } = await start(context)
  const operator = system.settingsWith()
  const imageId = await makeImage()
  const { User } = await admin.iam.send(new CreateUserCommand({ UserName: 'builder' }))
  const principal = User?.Arn
  const asked = { principal, action: 'ec2:DeregisterImage', imageId }
  const findingOf = async () => {
    const { outcome, findings } = await explain(operator, asked)
    return { outcome, text: JSON.stringify((findings as readonly unknown[])[0]) }
  }
  const none = await findingOf()
  assert.equal(none.outcome, 'refused')
  assert.match(none.text, /no identity-based policy allows the ec2:DeregisterImage action/)
  const put = (Statement: object[]) => {
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    const name = { UserName: 'builder', PolicyName: 'images' }
    return admin.iam.send(new PutUserPolicyCommand({ ...name, PolicyDocument }))
  }
  const allow = { Sid: 'All', Effect: 'Allow', Action: 'ec2:*', Resource: '*' }
  await put([allow])
  const allowed = await findingOf()
  assert.equal(allowed.outcome, 'allowed')
  assert.match(allowed.text, /statement 1 \('All'\) of the identity policy images/)
  const Resource = `arn:aws:ec2:${region}::image/${imageId}`
  await put([allow, { Sid: 'Keep', Effect: 'Deny', Action: 'ec2:Deregister*', Resource }])
  const denied = await findingOf()
  assert.equal(denied.outcome, 'refused')
  assert.match(denied.text, /explicit deny.*statement 2 \('Keep'\) of the identity policy images/)

  // Another account hears of its own calls alone, and nothing of what it does not see.
  const settings = await system.settingsOf(other)
  const own = await explain(settings, { ...asked, principal: other })
  assert.doesNotMatch(JSON.stringify(own), /image-1|123456789012/)
  assert.equal(own['outcome'], 'hidden')
  await assert.rejects(explain(settings, asked), /UnauthorizedOperation/)
  assert(sharee)
})

test('policies say of each call what they are told to say', async (context) => {
  const { system, admin, clientsOfUser, makeImage, explain } = await start(context)
  const { User } = await admin.iam.send(new CreateUserCommand({ UserName: 'looker' }))
  const { ec2 } = await clientsOfUser('looker')
  const image = { Resource: `arn:aws:ec2:${region}::image/*` }
  const allow = { Effect: 'Allow', Action: 'ec2:*', Resource: '*' }
  const type = (like: string) => ({ Condition: { StringLike: { 'ec2:InstanceType': like } } })
  for (const change of [
    {},
    image,
    { Resource: '*', Condition: { StringEquals: { 'ec2:Region': region } } },
    { ...image, Condition: { StringEquals: { 'ec2:Owner': accountId } } },
    { Resource: [image.Resource, `arn:aws:ec2:${region}:*:snapshot/*`] },
    { ...image, Condition: { StringEquals: { 'ec2:Add/group': 'all' } } },
    type('*.nano'),
    { Effect: 'Deny', ...image },
    { Effect: 'Deny', ...type('m*') },
    { Effect: 'Deny', Resource: '*', Condition: { Null: { 'ec2:Attribute': 'true' } } },
  ]) {
    const statement = { ...allow, ...change }
    const Statement = statement.Effect === 'Deny' ? [allow, statement] : statement
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    const name = { UserName: 'looker', PolicyName: 'images' }
    await admin.iam.send(new PutUserPolicyCommand({ ...name, PolicyDocument }))
    for (const action of actions) {
      const imageId = await makeImage()
      const asked = { principal: User?.Arn, action, imageId, isToPublish: true }
      const { findings } = await explain(system.settingsWith(), asked)
      const said = (findings as readonly { readonly code?: string }[])[0]?.code ?? 'allowed'
      let done: string
      try {
        done = await doing[action](ec2, imageId)
      } catch (error) {
        done = codeOf(error)
      }
      const isRefused = done === 'UnauthorizedOperation'
      assert.equal(said === 'UnauthorizedOperation', isRefused, `${action}: ${PolicyDocument}`)
    }
  }
})

test('it is told whose key keeps somebody from an image', async (context) => {
  const { system, makeImage, putSnapshot, explain, ec2 } = await start(context)
  const kms = callerOf(context, system.settingsWith())
  const { KeyMetadata } = await kms('CreateKey')
  assert(KeyMetadata?.Arn)
  const snapshotId = 'snap-00000000000000002'
  await putSnapshot({ id: snapshotId, kmsKeyArn: KeyMetadata.Arn })
  const ebs = { snapshotId, sizeGiB: 2, type: 'gp3', deleteOnTermination: true } as const
  const imageId = await makeImage({ blockDevices: [{ deviceName: '/dev/xvda', ebs }] })
  const LaunchPermission = { Add: [{ UserId: other }] }
  await ec2.send(new ModifyImageAttributeCommand({ ImageId: imageId, LaunchPermission }))
  const decisive = async (principal: string) => {
    const asked = { principal, action: 'RunInstances', imageId }
    return JSON.stringify((await explain(system.settingsWith(), asked))['decisive'] ?? 'allowed')
  }
  assert.equal(await decisive(accountId), '"allowed"')
  assert.match(await decisive(other), /"rule":"key".*is of another account.*kms:ReEncryptFrom/)
  const Statement = [
    { Effect: 'Allow', Principal: { AWS: [accountId, other] }, Action: 'kms:*', Resource: '*' },
  ]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  await kms('PutKeyPolicy', { KeyId: KeyMetadata.KeyId, Policy })
  assert.equal(await decisive(other), '"allowed"')
  await kms('DisableKey', { KeyId: KeyMetadata.KeyId })
  assert.match(await decisive(accountId), /"rule":"key".*InvalidKMSKey.*is disabled/)
})

test('what cannot be explained is refused by name', async (context) => {
  const { system, makeImage, explain } = await start(context)
  const imageId = await makeImage()
  const asked = { principal: accountId, action: 'RunInstances', imageId }
  const refused = (change: object, code: RegExp) =>
    assert.rejects(explain(system.settingsWith(), { ...asked, ...change }), code)
  await refused({ action: 'StopInstances' }, /InvalidParameterValue: .*one of: Describe/)
  await refused({ imageId: 'ami-x' }, /InvalidAMIID.Malformed/)
  await refused({ principal: 'me' }, /InvalidParameterValue: 'me' is neither/)
  await refused({ principal: '333333333333' }, /InvalidParameterValue: There is no/)
  await refused({ principal: undefined }, /MissingParameter/)
})
