/** Declarative policies for EC2 through the SDK: what they say holds, and the report on how accounts stand. */
import assert from 'node:assert/strict'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  CancelDeclarativePoliciesReportCommand,
  CreateTagsCommand,
  DescribeDeclarativePoliciesReportsCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DisableAllowedImagesSettingsCommand,
  DisableImageBlockPublicAccessCommand,
  DisableSnapshotBlockPublicAccessCommand,
  EnableAllowedImagesSettingsCommand,
  EnableImageBlockPublicAccessCommand,
  EnableSnapshotBlockPublicAccessCommand,
  GetAllowedImagesSettingsCommand,
  GetDeclarativePoliciesReportSummaryCommand,
  GetImageBlockPublicAccessStateCommand,
  GetSnapshotBlockPublicAccessStateCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  ReplaceImageCriteriaInAllowedImagesSettingsCommand,
  StartDeclarativePoliciesReportCommand,
} from '@aws-sdk/client-ec2'
import {
  DescribeEffectivePolicyCommand,
  DetachPolicyCommand,
  DisablePolicyTypeCommand,
  RemoveAccountFromOrganizationCommand,
  UpdatePolicyCommand,
} from '@aws-sdk/client-organizations'
import { startOrganization } from './organization-clients.ts'
import { putImage } from './rows.ts'
import { accountId as managementId, region } from './system.ts'

const PolicyType = 'DECLARATIVE_POLICY_EC2'
const message = 'Ask the platform team.'
const violation = { name: 'DeclarativePolicyViolation', message }
const byAccount = { ManagedBy: 'account' }
const byPolicy = { ManagedBy: 'declarative-policy' }

test('what is declared for an account holds, and the account cannot change it', async (context) => {
  const world = await startOrganization(context)
  const { root, management, attach, createPolicy, enter, system } = world
  const { organizations } = management
  await world.enable(PolicyType)
  const unit = await world.createUnit('dev')
  const dev = await world.createAccount('dev')
  await world.move(dev, root, unit)
  const { ec2, organizations: own } = await enter(dev)
  const effectiveOf = async (TargetId?: string, by = organizations) => {
    const input = { PolicyType, ...(TargetId !== undefined && { TargetId }) } as const
    const { EffectivePolicy } = await by.send(new DescribeEffectivePolicyCommand(input))
    return JSON.parse(EffectivePolicy?.PolicyContent ?? '') as unknown
  }
  await assert.rejects(effectiveOf(dev), { name: 'EffectivePolicyNotFoundException' })

  const imageOfDev = await putImage(system.db, { accountId: dev, region }, { name: 'of dev' })
  const foreign = await putImage(
    system.db,
    { accountId: managementId, region },
    { name: 'foreign' },
  )
  const isForeignSeen = async () =>
    (await ec2.send(new DescribeImagesCommand({ ImageIds: [foreign.id] }))).Images?.length === 1
  const share = (image: typeof imageOfDev, by = ec2) =>
    by.send(
      new ModifyImageAttributeCommand({
        ImageId: image.id,
        LaunchPermission: { Add: [{ Group: 'all' }] },
      }),
    )
  await management.ec2.send(new DisableImageBlockPublicAccessCommand({}))
  await share(foreign, management.ec2)
  const SnapshotId = imageOfDev.blockDevices[0]?.ebs?.snapshotId
  const shareSnapshot = () =>
    ec2.send(
      new ModifySnapshotAttributeCommand({
        SnapshotId,
        CreateVolumePermission: { Add: [{ Group: 'all' }] },
      }),
    )
  await shareSnapshot()
  const isSnapshotSeen = async () => {
    const seen = new DescribeSnapshotsCommand({ RestorableByUserIds: ['all'] })
    const { Snapshots = [] } = await management.ec2.send(seen)
    return Snapshots.some((one) => one.SnapshotId === SnapshotId)
  }
  assert(await isSnapshotSeen())
  await ec2.send(new DisableImageBlockPublicAccessCommand({}))
  const before = await ec2.send(new GetImageBlockPublicAccessStateCommand({}))
  assert.partialDeepStrictEqual(before, { ImageBlockPublicAccessState: 'unblocked', ...byAccount })

  const atRoot = await createPolicy(PolicyType, 'at the root', {
    ec2_attributes: {
      exception_message: { '@@assign': message },
      image_block_public_access: {
        state: {
          '@@assign': 'block_new_sharing',
          '@@operators_allowed_for_child_policies': ['@@none'],
        },
      },
      allowed_images_settings: {
        state: { '@@assign': 'enabled' },
        image_criteria: {
          criteria_1: { allowed_image_providers: { '@@assign': ['111111111111'] } },
        },
      },
    },
  })
  const atUnit = await createPolicy(PolicyType, 'at the unit', {
    ec2_attributes: {
      image_block_public_access: { state: { '@@assign': 'unblocked' } },
      snapshot_block_public_access: { state: { '@@assign': 'block_all_sharing' } },
    },
  })
  await attach(atRoot, root)
  await attach(atUnit, unit)
  const effective = {
    ec2_attributes: {
      exception_message: message,
      image_block_public_access: { state: 'block_new_sharing' },
      allowed_images_settings: {
        state: 'enabled',
        image_criteria: { criteria_1: { allowed_image_providers: ['111111111111'] } },
      },
      snapshot_block_public_access: { state: 'block_all_sharing' },
    },
  }
  assert.deepEqual(await effectiveOf(dev), effective)
  assert.deepEqual(await effectiveOf(undefined, own), effective)
  await assert.rejects(effectiveOf(managementId, own), { name: 'AccessDeniedException' })
  await assert.rejects(effectiveOf('999999999999'), { name: 'TargetNotFoundException' })

  const state = await ec2.send(new GetImageBlockPublicAccessStateCommand({}))
  assert.partialDeepStrictEqual(state, {
    ImageBlockPublicAccessState: 'block-new-sharing',
    ...byPolicy,
  })
  const ofSnapshots = await ec2.send(new GetSnapshotBlockPublicAccessStateCommand({}))
  assert.partialDeepStrictEqual(ofSnapshots, { State: 'block-all-sharing', ...byPolicy })
  const allowed = await ec2.send(new GetAllowedImagesSettingsCommand({}))
  const ImageCriteria = [{ ImageProviders: ['111111111111'] }]
  assert.partialDeepStrictEqual(allowed, { State: 'enabled', ImageCriteria, ...byPolicy })
  await assert.rejects(share(imageOfDev), { name: 'OperationNotPermitted', message })
  await assert.rejects(shareSnapshot(), { name: 'OperationNotPermitted', message })
  assert(!(await isSnapshotSeen()))
  await assert.rejects(isForeignSeen(), { name: 'InvalidAMIID.NotFound' })

  const blockImages = { ImageBlockPublicAccessState: 'block-new-sharing' } as const
  const changes = [
    () => ec2.send(new EnableImageBlockPublicAccessCommand(blockImages)),
    () => ec2.send(new DisableImageBlockPublicAccessCommand({})),
    () => ec2.send(new EnableSnapshotBlockPublicAccessCommand({ State: 'block-new-sharing' })),
    () => ec2.send(new DisableSnapshotBlockPublicAccessCommand({})),
    () =>
      ec2.send(
        new EnableAllowedImagesSettingsCommand({ AllowedImagesSettingsState: 'audit-mode' }),
      ),
    () => ec2.send(new DisableAllowedImagesSettingsCommand({})),
    () => ec2.send(new ReplaceImageCriteriaInAllowedImagesSettingsCommand({})),
  ]
  for (const change of changes) await assert.rejects(change(), violation)

  // The management account has what the root says, and not what the unit says.
  const ofManagement = await management.ec2.send(new GetSnapshotBlockPublicAccessStateCommand({}))
  assert.partialDeepStrictEqual(ofManagement, { State: 'unblocked', ...byAccount })
  const disable = new DisableAllowedImagesSettingsCommand({})
  await assert.rejects(management.ec2.send(disable), violation)

  const fresh = await enter(await world.createAccount('fresh'))
  await assert.rejects(fresh.ec2.send(disable), violation)

  // It follows the policies, and where the account is; and then its own word holds again.
  const Content = JSON.stringify({
    ec2_attributes: { snapshot_block_public_access: { state: { '@@assign': 'unblocked' } } },
  })
  await organizations.send(new UpdatePolicyCommand({ PolicyId: atUnit, Content }))
  assert(await isSnapshotSeen())
  await world.move(dev, unit, root)
  assert.partialDeepStrictEqual(
    await ec2.send(new GetSnapshotBlockPublicAccessStateCommand({})),
    byAccount,
  )
  await organizations.send(new DetachPolicyCommand({ PolicyId: atRoot, TargetId: root }))
  const after = await ec2.send(new GetImageBlockPublicAccessStateCommand({}))
  assert.partialDeepStrictEqual(after, { ImageBlockPublicAccessState: 'unblocked', ...byAccount })
  assert(await isForeignSeen())
  for (const change of changes) await change()
  await attach(atRoot, dev)
  await assert.rejects(ec2.send(disable), violation)
  await organizations.send(new RemoveAccountFromOrganizationCommand({ AccountId: dev }))
  await ec2.send(disable)
  await attach(atRoot, managementId)
  await assert.rejects(management.ec2.send(disable), violation)
  await organizations.send(new DisablePolicyTypeCommand({ RootId: root, PolicyType }))
  await management.ec2.send(disable)
})

test('a report tells how the accounts of a part of the tree stand', async (context) => {
  const world = await startOrganization(context)
  const { root, management, system, createAccount, enter } = world
  const { ec2 } = management
  const unit = await world.createUnit('dev')
  const [one, two, three] = [
    await createAccount('one'),
    await createAccount('two'),
    await createAccount('three'),
  ]
  for (const account of [one, two, three]) await world.move(account, root, unit)
  const inside = await enter(three)
  await inside.ec2.send(new DisableImageBlockPublicAccessCommand({}))
  const folder = join(system.dataFolder, 'buckets', managementId, region, 'reports')
  const start = (more: object = {}) =>
    ec2.send(
      new StartDeclarativePoliciesReportCommand({
        S3Bucket: 'reports',
        S3Prefix: 'ours',
        TargetId: unit,
        ...more,
      }),
    )
  await assert.rejects(start(), { name: 'NoSuchBucket' })
  await mkdir(folder, { recursive: true })
  await assert.rejects(start({ TargetId: 'ou-none-aaaaaaaa' }), { name: 'InvalidParameterValue' })
  await assert.rejects(start({ S3Prefix: '../up' }), { name: 'InvalidParameterValue' })
  const refused = inside.ec2.send(
    new StartDeclarativePoliciesReportCommand({ S3Bucket: 'reports', TargetId: unit }),
  )
  await assert.rejects(refused, { name: 'OperationNotPermitted' })

  const ResourceType = 'declarative-policies-report'
  const Tags = [{ Key: 'a', Value: 'b' }]
  const { ReportId = '' } = await start({ TagSpecifications: [{ ResourceType, Tags }] })
  const describe = async () => {
    const input = { ReportIds: [ReportId] }
    const told = await ec2.send(new DescribeDeclarativePoliciesReportsCommand(input))
    return told.Reports?.[0]
  }
  await system.until('a report', async () => (await describe())?.Status === 'complete')
  await ec2.send(new CreateTagsCommand({ Resources: [ReportId], Tags: [{ Key: 'c', Value: 'd' }] }))
  assert.partialDeepStrictEqual(await describe(), {
    S3Bucket: 'reports',
    S3Prefix: 'ours',
    TargetId: unit,
    Tags: [...Tags, { Key: 'c', Value: 'd' }],
  })
  const [name = ''] = await readdir(join(folder, 'ours'))
  assert.match(name, new RegExp(`^ec2_${unit}_${ReportId}_\\d{8}T\\d{4}Z\\.csv$`))
  const [head, ...lines] = (await readFile(join(folder, 'ours', name), 'utf8')).trim().split('\n')
  assert.equal(head, 'account_id,region,attribute,value,managed_by')
  // Three accounts, three settings, and two Regions where the installation has them.
  assert.equal(lines.length % 9, 0)
  assert(lines.includes(`${three},${region},image_block_public_access,unblocked,account`))
  assert(!lines.some((line) => line.startsWith(managementId)))

  const summarise = (id: string) =>
    ec2.send(new GetDeclarativePoliciesReportSummaryCommand({ ReportId: id }))
  const summary = await summarise(ReportId)
  assert.equal(summary.NumberOfAccounts, 3)
  const ofImages = summary.AttributeSummaries?.find(
    ({ AttributeName }) => AttributeName === 'image_block_public_access',
  )
  assert.partialDeepStrictEqual(ofImages, {
    MostFrequentValue: 'block_new_sharing',
    NumberOfMatchedAccounts: 2,
    NumberOfUnmatchedAccounts: 1,
  })
  assert.partialDeepStrictEqual(
    ofImages?.RegionalSummaries?.find(({ RegionName }) => RegionName === region),
    { NumberOfMatchedAccounts: 2, NumberOfUnmatchedAccounts: 1 },
  )
  const cancel = (id: string) =>
    ec2.send(new CancelDeclarativePoliciesReportCommand({ ReportId: id }))
  await assert.rejects(cancel(ReportId), { name: 'IncorrectState' })
  const unknown = 'dpr-00000000000000000'
  for (const call of [cancel, summarise]) {
    await assert.rejects(call(unknown), { name: 'InvalidDeclarativePoliciesReportId.NotFound' })
    await assert.rejects(call('x'), { name: 'InvalidDeclarativePoliciesReportId.Malformed' })
  }
})
