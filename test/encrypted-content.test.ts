/** Encrypted disks hold what was written to them, under whichever key, and nobody else reads it: through real clients. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  CompleteSnapshotCommand,
  EBSClient,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
  type StartSnapshotCommandInput,
} from '@aws-sdk/client-ebs'
import {
  CopyImageCommand,
  CopySnapshotCommand,
  type CopySnapshotCommandInput,
  CreateRestoreImageTaskCommand,
  CreateSnapshotCommand,
  CreateStoreImageTaskCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeFastSnapshotRestoresCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeStoreImageTasksCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  DisableFastSnapshotRestoresCommand,
  type EC2Client,
  EnableEbsEncryptionByDefaultCommand,
  EnableFastSnapshotRestoresCommand,
  LockSnapshotCommand,
  ModifySnapshotAttributeCommand,
  ModifySnapshotTierCommand,
  ModifyVolumeCommand,
  RestoreSnapshotTierCommand,
  UnlockSnapshotCommand,
} from '@aws-sdk/client-ec2'
import { checkInstallation } from '../src/checker/checker.ts'
import { BlockStore } from '../src/block-store/block-store.ts'
import { registerBlank } from './blank-image.ts'
import { callerOf, other } from './kms-sdk.ts'
import { accountId, allowAll, region, startSystem, type TestSystem } from './system.ts'

const west = 'us-west-2'
const blockBytes = 512 * 1024
// No packing makes it smaller, so that it would be found as it is.
const secret = randomBytes(blockBytes)

async function start(context: TestContext) {
  const system = await startSystem(context)
  const { ec2, dataFolder } = system
  const kms = callerOf(context, system.settingsWith())
  const ebsOf = (settings: ConstructorParameters<typeof EBSClient>[0]) => {
    const client = new EBSClient(settings ?? {})
    context.after(() => client.destroy())
    return client
  }
  const ebs = ebsOf(system.settingsWith())
  const key = async (call = kms) => (await call('CreateKey')).KeyMetadata?.Arn ?? ''
  const completed = (id: string | undefined, client: EC2Client = ec2) =>
    system.until('the snapshot', async () => {
      const command = new DescribeSnapshotsCommand({ SnapshotIds: [id ?? ''] })
      const { Snapshots: [found] = [] } = await client.send(command)
      assert.notEqual(found?.State, 'error', String(found?.StateMessage))
      return found?.State === 'completed' && found
    })
  const begin = async (input: Partial<StartSnapshotCommandInput> = {}) =>
    await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...input }))
  const make = async (input: Partial<StartSnapshotCommandInput> = {}) => {
    const { SnapshotId } = await begin(input)
    const block = {
      SnapshotId,
      BlockIndex: 3,
      BlockData: secret,
      DataLength: blockBytes,
      Checksum: createHash('sha256').update(secret).digest('base64'),
      ChecksumAlgorithm: 'SHA256' as const,
    }
    await ebs.send(new PutSnapshotBlockCommand(block))
    await ebs.send(new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 1 }))
    await completed(SnapshotId)
    return SnapshotId ?? ''
  }
  /** The blocks of a snapshot, by their places. */
  const read = async (SnapshotId: string | undefined, client = ebs) => {
    const { Blocks = [] } = await client.send(new ListSnapshotBlocksCommand({ SnapshotId }))
    const found = new Map<number, Buffer>()
    for (const { BlockIndex = 0, BlockToken } of Blocks) {
      const wanted = { SnapshotId, BlockIndex, BlockToken }
      const { BlockData } = await client.send(new GetSnapshotBlockCommand(wanted))
      found.set(BlockIndex, Buffer.from((await BlockData?.transformToByteArray()) ?? []))
    }
    return found
  }
  const isSecret = async (id: string | undefined, client = ebs) => {
    const blocks = await read(id, client)
    assert.deepEqual([...blocks.keys()], [3])
    assert(blocks.get(3)?.equals(secret))
  }
  const copy = async (input: Partial<CopySnapshotCommandInput>, client: EC2Client = ec2) => {
    const wanted = { SourceRegion: region, SourceSnapshotId: undefined, ...input }
    const { SnapshotId } = await client.send(new CopySnapshotCommand(wanted))
    return await completed(SnapshotId, client)
  }
  /** The files that have a piece of the secret in them. */
  const leaks = async () => {
    const entries = await readdir(dataFolder, { recursive: true, withFileTypes: true })
    const found: string[] = []
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name)
      if (!entry.isFile() || path.includes('/buckets/')) continue
      if ((await readFile(path)).includes(secret.subarray(1000, 1064))) found.push(path)
    }
    return found
  }
  const clients: Pick<TestSystem, 'client' | 'clientWith' | 'settingsOf' | 'settingsWith'> = {
    client: (...given) => system.client(...given),
    clientWith: (...given) => system.clientWith(...given),
    settingsOf: (...given) => system.settingsOf(...given),
    settingsWith: (...given) => system.settingsWith(...given),
  }
  return {
    ...system,
    ...clients,
    kms,
    key,
    ebs,
    ebsOf,
    begin,
    make,
    read,
    isSecret,
    copy,
    completed,
    leaks,
  }
}

test('a snapshot is written, copied and read under keys, and no file has its content', async (context) => {
  const { ec2, kms, key, make, isSecret, copy, clientWith, ebsOf, settingsWith, leaks, ...rest } =
    await start(context)
  const [own, second] = [await key(), await key()]
  const SnapshotId = await make({ Encrypted: true, KmsKeyArn: own })
  await isSecret(SnapshotId)
  const inWest = clientWith({ region: west })
  const westKms = callerOf(context, settingsWith({ region: west }))
  const far = await key(westKms)
  const copies = [
    await copy({ SourceSnapshotId: SnapshotId }),
    await copy({ SourceSnapshotId: SnapshotId, Encrypted: true, KmsKeyId: second }),
  ]
  assert.deepEqual(
    copies.map(({ KmsKeyId }) => KmsKeyId),
    [own, second],
  )
  for (const { SnapshotId: id } of copies) await isSecret(id)
  const there = await copy({ SourceSnapshotId: SnapshotId, Encrypted: true, KmsKeyId: far }, inWest)
  assert.equal(there.KmsKeyId, far)
  await isSecret(there.SnapshotId, ebsOf(settingsWith({ region: west })))

  // A volume under another key than its snapshot's, and what is taken of that.
  const { VolumeId = '', KmsKeyId } = await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: `${region}a`,
      SnapshotId,
      Encrypted: true,
      KmsKeyId: second,
    }),
  )
  assert.equal(KmsKeyId, second)
  await rest.until('the volume', async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))
    assert.notEqual(Volumes?.[0]?.State, 'error')
    return Volumes?.[0]?.State === 'available'
  })
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId }))
  const taken = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  assert.equal((await rest.completed(taken.SnapshotId)).KmsKeyId, second)
  await isSecret(taken.SnapshotId)
  assert.deepEqual(await leaks(), [])

  // Without its key there is nothing of it.
  await kms('DisableKey', { KeyId: second })
  await assert.rejects(isSecret(taken.SnapshotId), { name: 'AccessDeniedException' })
  await kms('EnableKey', { KeyId: second })
  await isSecret(taken.SnapshotId)
  const folder = join(rest.dataFolder, 'blocks')
  const blockStore = await BlockStore.open({
    folder,
    now: () => new Date(),
    graceMs: 0,
    readOnly: true,
  })
  const findings = await Array.fromAsync(
    checkInstallation({ db: rest.db.reads, blockStore, dataFolder: rest.dataFolder }),
  )
  await blockStore.close()
  assert.deepEqual(
    findings.filter(({ what }) => what.includes('key')),
    [],
  )
})

test('the encryption of a snapshot that is written block by block follows AWS’s table', async (context) => {
  const { ec2, kms, key, begin, make, copy } = await start(context)
  const own = await key()
  const ebsKey = (await kms('DescribeKey', { KeyId: 'alias/aws/ebs' })).KeyMetadata?.Arn
  const invalid = (Reason: string) => ({ name: 'ValidationException', Reason })
  const started = await begin({ Encrypted: true, KmsKeyArn: own })
  assert.deepEqual([started.KmsKeyArn, started.SseType], [own, 'sse-kms'])
  assert.equal((await begin({ Encrypted: true })).KmsKeyArn, ebsKey)
  const plain = await begin()
  assert.deepEqual([plain.KmsKeyArn, plain.SseType], [undefined, 'none'])
  await assert.rejects(begin({ KmsKeyArn: own }), invalid('INVALID_PARAMETER_VALUE'))
  const gone = own.replace(/key\/.*/, 'key/01234567-89ab-4def-8123-456789abcdef')
  await assert.rejects(begin({ Encrypted: true, KmsKeyArn: gone }), invalid('INVALID_CUSTOMER_KEY'))

  const parent = await make({ Encrypted: true, KmsKeyArn: own })
  const child = await begin({ ParentSnapshotId: parent })
  assert.equal(child.KmsKeyArn, own)
  const withParent = { ParentSnapshotId: parent, KmsKeyArn: own }
  await assert.rejects(begin(withParent), invalid('INVALID_PARAMETER_VALUE'))
  const plainParent = await make()
  assert.equal((await begin({ ParentSnapshotId: plainParent })).SseType, 'none')
  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
  await assert.rejects(begin({ ParentSnapshotId: plainParent }), invalid('INVALID_PARAMETER_VALUE'))
  await assert.rejects(begin({ Encrypted: false }), invalid('INVALID_PARAMETER_VALUE'))
  assert.equal((await begin()).KmsKeyArn, ebsKey)
  assert.equal((await copy({ SourceSnapshotId: plainParent })).KmsKeyId, ebsKey)
  await kms('DisableKey', { KeyId: own })
  await assert.rejects(begin({ ParentSnapshotId: parent }), invalid('INVALID_CUSTOMER_KEY'))
})

test('a key that is shared opens a shared snapshot, and its copy needs it no more', async (context) => {
  const { ec2, kms, key, make, isSecret, client, settingsOf, ebsOf, copy } = await start(context)
  const own = await key()
  const SnapshotId = await make({ Encrypted: true, KmsKeyArn: own })
  const CreateVolumePermission = { Add: [{ UserId: other }] }
  await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission }))
  const root = (account: string) => ({ AWS: `arn:aws:iam::${account}:root` })
  const allow = (account: string, Action: string[]) => ({
    Effect: 'Allow',
    Principal: root(account),
    Action,
    Resource: '*',
  })
  const Statement = [
    allow(accountId, ['kms:*']),
    allow(other, ['kms:DescribeKey', 'kms:ReEncrypt*', 'kms:Decrypt']),
  ]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  const settings = await settingsOf(other)
  const denied = { name: 'AccessDeniedException', Reason: 'DEPENDENCY_ACCESS_DENIED' }
  await assert.rejects(isSecret(SnapshotId, ebsOf(settings)), denied)
  await kms('PutKeyPolicy', { KeyId: own, Policy })
  await isSecret(SnapshotId, ebsOf(settings))

  const theirs = await key(callerOf(context, settings))
  const them = await client(other)
  const input = { SourceSnapshotId: SnapshotId, Encrypted: true, KmsKeyId: theirs }
  const copied = await copy(input, them)
  assert.equal(copied.KmsKeyId, theirs)
  await kms('DisableKey', { KeyId: own })
  await isSecret(copied.SnapshotId, ebsOf(settings))
})

test('an image is copied under a key, stored as it is, and restored as its account says', async (context) => {
  const system = await start(context)
  const { ec2, dataFolder, key, make, isSecret, completed } = system
  const own = await key()
  const snapshot = await make()
  const image = await registerBlank(system, snapshot, { Name: 'plain' })
  const rootOf = async (id: string | undefined) => {
    const found = await system.until('the image', async () => {
      const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [id ?? ''] }))
      assert.notEqual(Images?.[0]?.State, 'failed', JSON.stringify(Images?.[0]?.StateReason))
      return Images?.[0]?.State === 'available' && Images[0]
    })
    return found.BlockDeviceMappings?.[0]?.Ebs
  }
  const copy = { SourceRegion: region, SourceImageId: image, Encrypted: true, KmsKeyId: own }
  const { ImageId } = await ec2.send(new CopyImageCommand({ ...copy, Name: 'encrypted' }))
  const root = await rootOf(ImageId)
  assert.equal(root?.Encrypted, true)
  assert.equal((await completed(root.SnapshotId)).KmsKeyId, own)
  await isSecret(root.SnapshotId)

  // A key that is not there is looked at when the call has been answered.
  const KmsKeyId = own.replace(/key\/.*/, 'key/01234567-89ab-4def-8123-456789abcdef')
  const failing = await ec2.send(new CopyImageCommand({ ...copy, KmsKeyId, Name: 'failing' }))
  const failed = await system.until('the failure', async () => {
    const command = new DescribeImagesCommand({ ImageIds: [failing.ImageId ?? ''] })
    const { Images: [found] = [] } = await ec2.send(command)
    return found?.State === 'failed' && found
  })
  assert.equal(failed.StateReason?.Code, 'Client.InvalidKMSKey.InvalidState')
  assert.match(failed.StateReason.Message ?? '', /Given key ID is not accessible/)

  const Bucket = 'images'
  await mkdir(join(dataFolder, 'buckets', accountId, region, Bucket), { recursive: true })
  const { ObjectKey } = await ec2.send(new CreateStoreImageTaskCommand({ ImageId, Bucket }))
  await system.until('the object', async () => {
    const command = new DescribeStoreImageTasksCommand({})
    const { StoreImageTaskResults: [task] = [] } = await ec2.send(command)
    assert.notEqual(task?.StoreTaskState, 'Failed', task?.StoreTaskFailureReason ?? '')
    return task?.StoreTaskState === 'Completed'
  })
  // The object is plain: who may not use the key gets none.
  const reader = await system.client(accountId, [{ ...allowAll, actions: ['ec2:*', 's3:*'] }])
  await mkdir(join(dataFolder, 'buckets', accountId, region, 'others'), { recursive: true })
  const again = new CreateStoreImageTaskCommand({ ImageId, Bucket: 'others' })
  await assert.rejects(reader.send(again), { name: 'InvalidParameterValue' })

  const restore = async (Name: string) => {
    const made = await ec2.send(new CreateRestoreImageTaskCommand({ Bucket, ObjectKey, Name }))
    return await rootOf(made.ImageId)
  }
  const plain = await restore('as it is')
  assert.equal(plain?.Encrypted, false)
  await isSecret(plain.SnapshotId)
  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}))
  const encrypted = await restore('as the account says')
  assert.equal(encrypted?.Encrypted, true)
  await isSecret(encrypted.SnapshotId)
})

test('what is encrypted grows, is archived and made ready ahead like all else', async (context) => {
  const system = await start(context)
  const { ec2, kms, key, make, isSecret } = system
  const own = await key()
  const SnapshotId = await make({ Encrypted: true, KmsKeyArn: own })
  const zone = `${region}a`
  const { VolumeId = '' } = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone: zone, SnapshotId, VolumeType: 'gp3' }),
  )
  const volume = async () =>
    (await ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] }))).Volumes?.[0]
  await system.until('the volume', async () => (await volume())?.State === 'available')
  await ec2.send(new ModifyVolumeCommand({ VolumeId, Size: 2 }))
  await system.until('the change', async () => {
    const command = new DescribeVolumesModificationsCommand({ VolumeIds: [VolumeId] })
    const { VolumesModifications: [change] = [] } = await ec2.send(command)
    assert.notEqual(change?.ModificationState, 'failed', change?.StatusMessage ?? '')
    return change?.ModificationState === 'completed' || change?.ModificationState === 'optimizing'
  })
  assert.deepEqual([(await volume())?.Size, (await volume())?.KmsKeyId], [2, own])
  const taken = await ec2.send(new CreateSnapshotCommand({ VolumeId }))
  await system.completed(taken.SnapshotId)
  await isSecret(taken.SnapshotId)

  const ahead = { AvailabilityZones: [zone], SourceSnapshotIds: [SnapshotId] }
  await ec2.send(new EnableFastSnapshotRestoresCommand(ahead))
  await system.until('the fast restore', async () => {
    const command = new DescribeFastSnapshotRestoresCommand({})
    const { FastSnapshotRestores: [found] = [] } = await ec2.send(command)
    return found?.State === 'enabled'
  })
  await ec2.send(new DisableFastSnapshotRestoresCommand(ahead))
  const closed = await key()
  const unread = await make({ Encrypted: true, KmsKeyArn: closed })
  await kms('DisableKey', { KeyId: closed })
  const far = { AvailabilityZones: [zone], SourceSnapshotIds: [unread] }
  await ec2.send(new EnableFastSnapshotRestoresCommand(far))
  const reason = await system.until('the end of the fast restore', async () => {
    const Filters = [{ Name: 'snapshot-id', Values: far.SourceSnapshotIds }]
    const { FastSnapshotRestores: [found] = [] } = await ec2.send(
      new DescribeFastSnapshotRestoresCommand({ Filters }),
    )
    return found?.State === 'disabled' && found.StateTransitionReason
  })
  assert.match(reason, /^Client\.InvalidKMSKey\.InvalidState - .* is disabled\.$/)
  await ec2.send(new LockSnapshotCommand({ SnapshotId, LockMode: 'governance', LockDuration: 1 }))
  await assert.rejects(ec2.send(new DeleteSnapshotCommand({ SnapshotId })))
  await ec2.send(new UnlockSnapshotCommand({ SnapshotId }))
  const archived = { SnapshotId: taken.SnapshotId, StorageTier: 'archive' as const }
  await ec2.send(new ModifySnapshotTierCommand(archived))
  const inTier = (tier: string) =>
    system.until(`the tier ${tier}`, async () => {
      const found = await system.completed(taken.SnapshotId)
      return found.StorageTier === tier
    })
  await inTier('archive')
  await assert.rejects(
    ec2.send(new CreateVolumeCommand({ AvailabilityZone: zone, SnapshotId: taken.SnapshotId })),
    { name: 'IncorrectState' },
  )
  const { SnapshotId: id } = archived
  await ec2.send(new RestoreSnapshotTierCommand({ SnapshotId: id, PermanentRestore: true }))
  await inTier('standard')
  await isSecret(id)
})
