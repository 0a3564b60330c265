/** What must hold of every action there is, and of every one that is added. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { inspect } from 'node:util'
import * as sdk from '@aws-sdk/client-ec2'
import type { EC2Client } from '@aws-sdk/client-ec2'
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam'
import * as sts from '@aws-sdk/client-sts'
import { sql } from 'kysely'
import { randomBytes } from 'node:crypto'
import { actions } from '../src/actions.ts'
import { listEvents } from '../src/audit/store.ts'
import { sealerOf } from '../src/lib/seal.ts'
import { decodeRefusal } from '../src/policies/refusal.ts'
import { Model } from '../src/wire/model.ts'
import schemas from '../src/wire/schemas/ec2.json' with { type: 'json' }
import { hasKey, typesOf, typesOfArn } from './aws-actions.ts'
import { lastFirst } from './last-first.ts'
import { anotherThan, covers, leastPolicy, type Need, refusedFor } from './least-policy.ts'
import { others, type OtherService } from './other-services.ts'
import { makeSessions, type Sessions } from './sessions.ts'
import { accountId, type ClientSettings, startSystem, type TestSystem } from './system.ts'

const ids = {
  ImageId: 'ami-0123456789abcdef0',
  InstanceId: 'i-0123456789abcdef0',
  VolumeId: 'vol-0123456789abcdef0',
  SnapshotId: 'snap-0123456789abcdef0',
  GroupId: 'sg-0123456789abcdef0',
} as const
const { ImageId, InstanceId, VolumeId, SnapshotId, GroupId } = ids
const ReportId = 'dpr-0123456789abcdef0'
const permissions = [
  { IpProtocol: 'tcp', FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
]

/** A request of each action that is right in form. An action without one fails the tests below. */
const samples: Record<string, object> = {
  AssociateIamInstanceProfile: { InstanceId, IamInstanceProfile: { Name: 'of-builders' } },
  AttachImageWatermark: { ImageId, WatermarkName: 'approved' },
  AttachVolume: { VolumeId, InstanceId, Device: '/dev/sdf' },
  AuthorizeSecurityGroupEgress: { GroupId, IpPermissions: permissions },
  AuthorizeSecurityGroupIngress: { GroupId, IpPermissions: permissions },
  CancelBundleTask: { BundleId: 'bun-12345678' },
  CancelDeclarativePoliciesReport: { ReportId },
  CancelImageLaunchPermission: { ImageId },
  CancelImportTask: { ImportTaskId: 'import-snap-0123456789abcdef0' },
  CopyImage: { SourceRegion: 'us-west-2', SourceImageId: ImageId, Name: 'an image' },
  CopySnapshot: { SourceRegion: 'us-west-2', SourceSnapshotId: SnapshotId },
  CopyVolumes: { SourceVolumeId: VolumeId },
  CreateImage: { InstanceId, Name: 'an image' },
  CreateImageUsageReport: { ImageId, ResourceTypes: [{ ResourceType: 'ec2:Instance' }] },
  CreateKeyPair: { KeyName: 'a key' },
  CreateRestoreImageTask: { Bucket: 'a-bucket', ObjectKey: `${ImageId}.bin` },
  CreateSecurityGroup: { GroupName: 'a group', Description: 'of machines' },
  CreateReplaceRootVolumeTask: { InstanceId },
  CreateSnapshot: { VolumeId },
  CreateSnapshots: { InstanceSpecification: { InstanceId } },
  CreateStoreImageTask: { ImageId, Bucket: 'a-bucket' },
  CreateTags: { Resources: [ImageId], Tags: [{ Key: 'a', Value: 'b' }] },
  CreateVolume: { AvailabilityZone: 'us-east-1a', Size: 1 },
  DeleteImageUsageReport: { ReportId: 'amiur-0123456789abcdef0' },
  DeleteKeyPair: { KeyName: 'a key' },
  DeleteSecurityGroup: { GroupId },
  DeleteSnapshot: { SnapshotId },
  DeleteTags: { Resources: [ImageId] },
  DeleteVolume: { VolumeId },
  DeregisterImage: { ImageId },
  DescribeAccountAttributes: {},
  DescribeAvailabilityZones: {},
  DescribeBundleTasks: {},
  DescribeDeclarativePoliciesReports: {},
  DescribeFastLaunchImages: {},
  DescribeFastSnapshotRestores: {},
  DescribeIamInstanceProfileAssociations: {},
  DescribeImageAttribute: { ImageId, Attribute: 'description' },
  DescribeImageReferences: { ImageIds: [ImageId], IncludeAllResourceTypes: true },
  DescribeImageUsageReportEntries: {},
  DescribeImageUsageReports: {},
  DescribeImages: {},
  DescribeImportImageTasks: {},
  DescribeImportSnapshotTasks: {},
  DescribeInstanceAttribute: { InstanceId, Attribute: 'instanceType' },
  DescribeInstanceImageMetadata: {},
  DescribeInstanceStatus: {},
  DescribeInstanceTypeOfferings: {},
  DescribeInstanceTypes: {},
  DescribeInstances: {},
  DescribeKeyPairs: {},
  DescribeLockedSnapshots: {},
  DescribeNetworkInterfaces: {},
  DescribeRegions: {},
  DescribeSecurityGroupRules: {},
  DescribeSecurityGroups: {},
  DescribeReplaceRootVolumeTasks: {},
  DescribeSnapshotAttribute: { SnapshotId, Attribute: 'createVolumePermission' },
  DescribeSnapshotTierStatus: {},
  DescribeSnapshots: {},
  DescribeStoreImageTasks: {},
  DescribeSubnets: {},
  DescribeTags: {},
  DescribeVolumeAttribute: { VolumeId, Attribute: 'autoEnableIO' },
  DescribeVolumeStatus: {},
  DescribeVolumes: {},
  DescribeVolumesModifications: {},
  DescribeVpcs: {},
  DetachImageWatermark: { ImageId, WatermarkKey: '123456789012:approved' },
  DetachVolume: { VolumeId },
  EnableVolumeIO: { VolumeId },
  DisableAllowedImagesSettings: {},
  DisableEbsEncryptionByDefault: {},
  DisableFastLaunch: { ImageId },
  DisableFastSnapshotRestores: {
    AvailabilityZones: ['us-east-1a'],
    SourceSnapshotIds: [SnapshotId],
  },
  DisableImage: { ImageId },
  DisableImageBlockPublicAccess: {},
  DisableImageDeprecation: { ImageId },
  DisableImageDeregistrationProtection: { ImageId },
  DisableSnapshotBlockPublicAccess: {},
  GetDeclarativePoliciesReportSummary: { ReportId },
  GetEbsDefaultKmsKeyId: {},
  GetEbsEncryptionByDefault: {},
  ModifyEbsDefaultKmsKeyId: { KmsKeyId: 'alias/aws/ebs' },
  ResetEbsDefaultKmsKeyId: {},
  EnableEbsEncryptionByDefault: {},
  DisassociateIamInstanceProfile: { AssociationId: 'iip-assoc-0123456789abcdef0' },
  EnableAllowedImagesSettings: { AllowedImagesSettingsState: 'audit-mode' },
  EnableFastLaunch: { ImageId },
  EnableFastSnapshotRestores: {
    AvailabilityZones: ['us-east-1a'],
    SourceSnapshotIds: [SnapshotId],
  },
  EnableImage: { ImageId },
  EnableImageBlockPublicAccess: { ImageBlockPublicAccessState: 'block-new-sharing' },
  EnableImageDeprecation: { ImageId, DeprecateAt: new Date('2100-01-01') },
  EnableImageDeregistrationProtection: { ImageId },
  EnableSnapshotBlockPublicAccess: { State: 'block-new-sharing' },
  GetAllowedImagesSettings: {},
  GetConsoleOutput: { InstanceId },
  GetConsoleScreenshot: { InstanceId },
  GetImageAncestry: { ImageId },
  GetImageFindings: { ImageId },
  GetImageBlockPublicAccessState: {},
  GetInstanceTpmEkPub: { InstanceId, KeyType: 'rsa-2048', KeyFormat: 'der' },
  GetInstanceUefiData: { InstanceId },
  GetSnapshotBlockPublicAccessState: {},
  ImportImage: { DiskContainers: [{ Url: 'http://127.0.0.1:1/disk' }] },
  ImportKeyPair: { KeyName: 'a key', PublicKeyMaterial: Buffer.from('ssh-ed25519 AAAA') },
  ImportSnapshot: { DiskContainer: { Url: 'http://127.0.0.1:1/disk' } },
  ListImagesInRecycleBin: {},
  ListSnapshotsInRecycleBin: {},
  ListVolumesInRecycleBin: {},
  LockSnapshot: { SnapshotId, LockMode: 'governance', LockDuration: 1 },
  ReplaceIamInstanceProfileAssociation: {
    AssociationId: 'iip-assoc-0123456789abcdef0',
    IamInstanceProfile: { Name: 'of-builders' },
  },
  ModifyImageAttribute: { ImageId, Description: { Value: 'better' } },
  ModifyInstanceAttribute: { InstanceId, DisableApiTermination: { Value: true } },
  ModifyInstanceMetadataOptions: { InstanceId, HttpTokens: 'required' },
  ModifySnapshotAttribute: {
    SnapshotId,
    CreateVolumePermission: { Add: [{ UserId: '111111111111' }] },
  },
  ModifySnapshotTier: { SnapshotId, StorageTier: 'archive' },
  ModifyVolume: { VolumeId, Size: 2 },
  ModifyVolumeAttribute: { VolumeId, AutoEnableIO: { Value: true } },
  RebootInstances: { InstanceIds: [InstanceId] },
  RegisterImage: { Name: 'an image' },
  ReplaceImageCriteriaInAllowedImagesSettings: { ImageCriteria: [{ ImageProviders: ['amazon'] }] },
  ReplaceImageInstanceTypeSpecification: {
    ImageId,
    InstanceTypeSpecification: { SupportedInstanceTypes: ['t3.*'] },
  },
  ResetImageAttribute: { ImageId, Attribute: 'launchPermission' },
  ResetInstanceAttribute: { InstanceId, Attribute: 'sourceDestCheck' },
  ResetSnapshotAttribute: { SnapshotId, Attribute: 'createVolumePermission' },
  RestoreImageFromRecycleBin: { ImageId },
  RestoreSnapshotFromRecycleBin: { SnapshotId },
  RestoreSnapshotTier: { SnapshotId, PermanentRestore: true },
  RestoreVolumeFromRecycleBin: { VolumeId },
  RevokeSecurityGroupEgress: { GroupId, IpPermissions: permissions },
  RevokeSecurityGroupIngress: { GroupId, IpPermissions: permissions },
  RunInstances: { ImageId, MinCount: 1, MaxCount: 1 },
  StartDeclarativePoliciesReport: { S3Bucket: 'a-bucket', TargetId: 'r-abcd' },
  StartInstances: { InstanceIds: [InstanceId] },
  StopInstances: { InstanceIds: [InstanceId] },
  TerminateInstances: { InstanceIds: [InstanceId] },
  UnlockSnapshot: { SnapshotId },
}

type Command = Parameters<EC2Client['send']>[0]

function command(action: string, extra: object = {}): Command {
  const commands = sdk as unknown as Record<string, new (input: object) => Command>
  const Made = commands[`${action}Command`]
  const sample = samples[action]
  assert(Made, `the SDK has no ${action}`)
  assert(sample, `${action} has no sample request`)
  return new Made({ ...sample, ...extra })
}

const ec2Actions = [...actions.values()]
  .filter(({ service = 'ec2' }) => service === 'ec2')
  .map(({ action }) => action)

const otherActions = [...actions.values()].flatMap(({ service = 'ec2', action }) =>
  service === 'ec2' || service === 'sts' ? [] : [{ service, action }],
)

function otherCommand(service: OtherService, action: string): object {
  const { commands, samples: ofService } = others[service]
  const Made = commands[`${action}Command`] as (new (input: object) => object) | undefined
  const sample = ofService[action]
  assert(Made, `the SDK has no ${service}:${action}`)
  assert(sample, `${service}:${action} has no sample request`)
  return new Made(sample)
}

const masterKey = randomBytes(32)
let system: TestSystem
let nobody: EC2Client
let sessions: Sessions
const opened = lastFirst()
before(async () => {
  system = await startSystem(opened, { isIdle: true, masterKey })
  sessions = await makeSessions(system, masterKey)
  const iam = new IAMClient(system.settingsWith())
  const Principal = { AWS: accountId }
  const Statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal }
  const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  await iam.send(new CreateRoleCommand({ RoleName: 'open', AssumeRolePolicyDocument }))
  iam.destroy()
  nobody = await system.client('666666666666', [])
})
after(opened.end)

/** How many rows each table has that a call could change. */
async function countRows(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { name } of await system.db.reads.introspection.getTables()) {
    if (name.startsWith('audit_')) continue
    const counted = await sql<{
      count: number
    }>`SELECT COUNT(*) AS count FROM ${sql.table(name)}`.execute(system.db.reads)
    counts[name] = Number(counted.rows[0]?.count)
  }
  return counts
}

/** What EC2 gives no `DryRun` to. */
const isNeverDry = (action: string): boolean => action.includes('IamInstanceProfile')

for (const action of ec2Actions) {
  test(`${action}: a caller with no policy is refused`, async () => {
    await assert.rejects(nobody.send(command(action)), { name: 'UnauthorizedOperation' })
  })

  test(`${action}: a wrong signature is refused before anything else`, async () => {
    const forger = system.clientWith({ secret: 'wrong' })
    await assert.rejects(forger.send(command(action)), { name: 'SignatureDoesNotMatch' })
  })

  test(`${action}: a dry run changes nothing`, { skip: isNeverDry(action) }, async () => {
    const before = await countRows()
    await assert.rejects(system.ec2.send(command(action, { DryRun: true })), {
      name: 'DryRunOperation',
    })
    assert.deepEqual(await countRows(), before)
  })

  test(`${action}: what does not exist is refused in AWS's words, or answered`, async () => {
    // Whatever the state of things, nothing but a code of AWS or an answer comes out.
    await system.ec2.send(command(action)).catch((error: Error) => {
      assert.notEqual(error.name, 'InternalError')
      assert.match(error.name, /^[A-Z][A-Za-z.]+$/)
    })
  })
}

for (const { service, action } of otherActions) {
  const { denied, forged, make } = others[service]

  test(`${service}:${action}: a caller with no policy is refused`, async () => {
    const client = make(await system.settingsOf('666666666666', []))
    await assert.rejects(client.send(otherCommand(service, action)), { name: denied })
    client.destroy()
  })

  test(`${service}:${action}: a wrong signature is refused before anything else`, async () => {
    const client = make(system.settingsWith({ secret: 'wrong' }))
    await assert.rejects(client.send(otherCommand(service, action)), { name: forged })
    client.destroy()
  })

  test(`${service}:${action}: what does not exist is refused in AWS's words, or answered`, async () => {
    const client = make(system.settingsWith())
    await client.send(otherCommand(service, action)).catch((error: Error) => {
      assert.doesNotMatch(error.name, /^Internal|^ServiceException$|^Unsupported|^Unknown/)
      assert.match(error.name, /^[A-Z][A-Za-z]+$/)
    })
    client.destroy()
  })
}

/** Makes the sample call of an action with these credentials. */
async function send(service: 'ec2' | OtherService, action: string, settings: ClientSettings) {
  const isEc2 = service === 'ec2'
  const client = isEc2 ? new sdk.EC2Client(settings) : others[service].make(settings)
  const dry = isEc2 && !isNeverDry(action) ? { DryRun: true } : {}
  try {
    const made = isEc2 ? command(action, dry) : otherCommand(service, action)
    await (client as { send(command: object): Promise<unknown> }).send(made)
  } finally {
    client.destroy()
  }
}

/** The actions of which AWS's reference says something else, and why. */
const explained: Readonly<Record<string, string>> = {
  'ec2:GetImageFindings': 'it is newer than the reference',
  'iam:ListGroups': 'lists are judged by the path that is listed',
  'iam:ListInstanceProfiles': 'lists are judged by the path that is listed',
  'iam:ListPolicies': 'lists are judged by the path that is listed',
  'iam:ListRoles': 'lists are judged by the path that is listed',
  'iam:ListUsers': 'lists are judged by the path that is listed',
  'kms:DeleteAlias': 'the alias of the sample is of no key',
  'kms:ReEncrypt': 'it is judged as ReEncryptFrom and as ReEncryptTo',
  'organizations:MoveAccount': 'the sample moves from one root to another',
}

const learned = new Map<string, readonly Need[]>()
const refusals = new Set<string>()

for (const { service, action } of [
  ...ec2Actions.map((name) => ({ service: 'ec2' as const, action: name })),
  ...otherActions,
]) {
  test(`${service}:${action}: one policy allows it, and none that names something else`, async () => {
    const sendUnder = (policy: string) =>
      send(service, action, sessions.under(policy)).catch((error: Error) => {
        const encoded = /failure message: (\S+)$/.exec(error.message)?.[1]
        if (encoded !== undefined) refusals.add(encoded)
        throw error
      })
    const needs = await leastPolicy(sendUnder)
    assert(needs.length > 0)
    for (const [index, need] of needs.entries()) {
      const rest = needs.toSpliced(index, 1)
      if (need.resource === '*' || rest.some((one) => covers(one, need))) continue
      const others = needs.with(index, { ...need, resource: anotherThan(need.resource) })
      assert.deepEqual(await refusedFor(sendUnder, others), need)
    }
    learned.set(`${service}:${action}`, needs)
  })

  test(`${service}:${action}: a session that has expired is refused`, async () => {
    await assert.rejects(send(service, action, sessions.expired()), {
      name: /^ExpiredToken(?:Exception)?$/,
    })
  })
}

/** Requests of STS, and whether it answers them to everybody who has signed. */
const stsSamples: Record<string, { readonly input: object; readonly isForAll?: true }> = {
  AssumeRole: {
    input: { RoleArn: `arn:aws:iam::${accountId}:role/open`, RoleSessionName: 'a-session' },
  },
  DecodeAuthorizationMessage: { input: { EncodedMessage: 'AAAA' } },
  GetAccessKeyInfo: { input: { AccessKeyId: 'AKIA0000000000000000' } },
  GetCallerIdentity: { input: {}, isForAll: true },
  GetSessionToken: { input: {}, isForAll: true },
}

const stsActions = [...actions.values()].filter(({ service }) => service === 'sts')

for (const { action } of stsActions) {
  const sendSts = async (settings: ClientSettings) => {
    const client = new sts.STSClient(settings)
    const commands = sts as unknown as Record<string, new (input: object) => Command>
    const Made = commands[`${action}Command`]
    const sample = stsSamples[action]
    assert(Made && sample, `${action} has no sample request`)
    try {
      await (client as unknown as EC2Client).send(new Made(sample.input))
    } finally {
      client.destroy()
    }
  }

  test(`sts:${action}: one policy allows it, and none that names something else`, async () => {
    const sendUnder = (policy: string) => sendSts(sessions.under(policy))
    const needs = await leastPolicy(sendUnder)
    assert.equal(needs.length, stsSamples[action]?.isForAll ? 0 : 1)
    for (const need of needs.filter(({ resource }) => resource !== '*')) {
      const another = { ...need, resource: anotherThan(need.resource) }
      assert.deepEqual(await refusedFor(sendUnder, [another]), need)
    }
  })

  test(`sts:${action}: a wrong signature and a session that has expired are refused`, async () => {
    const forged = system.settingsWith({ secret: 'wrong' })
    await assert.rejects(sendSts(forged), { name: 'SignatureDoesNotMatch' })
    await assert.rejects(sendSts(sessions.expired()), { name: /^ExpiredToken/ })
  })
}

test('who names one thing by nothing is not told of all', async () => {
  const model = new Model(schemas)
  const lists = ec2Actions.flatMap((action) =>
    (model.input(action)?.members ?? [])
      .filter(({ shape }) => shape.kind === 'list' && shape.item.kind === 'string')
      .map(({ name }) => ({ action, name })),
  )
  assert(lists.length > 30)
  for (const { action, name } of lists) {
    const sent = system.ec2.send(command(action, { [name]: [''] }))
    await assert.rejects(
      sent,
      (error: Error) => !error.name.startsWith('Internal'),
      `${action} ${name}`,
    )
  }
})

test('each action touches what AWS says that it touches', () => {
  const differences: Record<string, object> = {}
  for (const [name, needs] of learned) {
    const [service = '', action = ''] = name.split(':')
    const said = typesOf(service, action)
    const arns = needs.filter((need) => need.action === name).map(({ resource }) => resource)
    const touched = arns.filter((arn) => arn !== '*').map((arn) => typesOfArn(service, arn))
    const missing = said?.required.filter((type) => !touched.some((types) => types.includes(type)))
    const extra = touched.filter((types) => !types.some((type) => said?.all.includes(type)))
    if (!said || missing?.length || extra.length > 0) differences[name] = { missing, extra }
  }
  assert.deepEqual(Object.keys(differences).sort(), Object.keys(explained), inspect(differences))
})

test('each resource is judged with condition keys that AWS has for it', () => {
  const sealer = sealerOf(masterKey, randomBytes)
  const unknown = new Set<string>()
  for (const encoded of refusals) {
    const { context } = JSON.parse(decodeRefusal(encoded, { accountId }, sealer)) as {
      readonly context: {
        readonly action: string
        readonly resource: string
        readonly conditions: { readonly items: readonly { readonly key: string }[] }
      }
    }
    const [service = '', action = ''] = context.action.split(':')
    for (const { key } of context.conditions.items) {
      if (!/^ec2:|RequestTag|TagKeys/.test(key)) continue
      if (hasKey(service, action, context.resource, key)) continue
      if (typesOf(service, action)) unknown.add(`${key} for ${context.action}`)
    }
  }
  assert(refusals.size > ec2Actions.length)
  assert.deepEqual([...unknown], [])
})

test('every refusal is audited', async () => {
  const refused = async () => {
    const events = await listEvents(system.db.reads)
    const theirs = events.filter(
      ({ accountId, outcome }) =>
        accountId === '666666666666' && outcome === 'UnauthorizedOperation',
    )
    return new Set(theirs.map(({ action }) => action))
  }
  // Two services may have an action of the same name.
  const all = [...new Set([...ec2Actions, ...otherActions.map(({ action }) => action)])].sort()
  await system.until('the last audit row', async () => (await refused()).size === all.length)
  assert.deepEqual([...(await refused())].sort(), all)
})
