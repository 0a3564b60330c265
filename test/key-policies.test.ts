/** The policies of keys, and disks that other accounts may open because of them, through real clients. */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  CopySnapshotCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  ModifySnapshotAttributeCommand,
} from '@aws-sdk/client-ec2'
import { transaction } from '../src/db/database.ts'
import { insertSnapshot } from '../src/snapshots/store.ts'
import { other, startKms, text } from './kms-sdk.ts'
import { snapshotRow } from './rows.ts'
import { accountId, allowAll, region } from './system.ts'

const third = '333333333333'
const rootOf = (account: string) => `arn:aws:iam::${account}:root`

/** A policy that gives a key to its account, and some use of it to another. */
function policy(Action: unknown, to = other, more: object[] = []): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: rootOf(accountId) }, Action: 'kms:*', Resource: '*' },
      { Effect: 'Allow', Principal: { AWS: rootOf(to) }, Action, Resource: '*' },
      ...more,
    ],
  })
}

async function start(context: TestContext) {
  const parts = await startKms(context)
  const { KeyId, Arn } = await parts.make()
  const put = (Policy: string, more: object = {}) =>
    parts.kms('PutKeyPolicy', { KeyId, Policy, ...more })
  return { ...parts, KeyId, Arn, put }
}

test('the policy of a key lets another account use it, as far as it says', async (context) => {
  const { kms, as, KeyId, Arn, put } = await start(context)
  const them = await as(other)
  const denied = { name: 'AccessDeniedException' }
  await assert.rejects(them('Encrypt', { KeyId: Arn, Plaintext: text }), denied)
  const Policy = policy(['kms:Encrypt', 'kms:Decrypt', 'kms:DescribeKey'])
  await put(Policy)
  assert.equal((await kms('GetKeyPolicy', { KeyId })).Policy, Policy)

  const { CiphertextBlob } = await them('Encrypt', { KeyId: Arn, Plaintext: text })
  assert.deepEqual(Buffer.from((await them('Decrypt', { CiphertextBlob })).Plaintext ?? []), text)
  assert.deepEqual(Buffer.from((await kms('Decrypt', { CiphertextBlob })).Plaintext ?? []), text)
  assert.equal((await them('DescribeKey', { KeyId: Arn })).KeyMetadata?.Arn, Arn)
  await assert.rejects(them('GenerateDataKey', { KeyId: Arn, KeySpec: 'AES_256' }), denied)
  // What a key is, and whether it is there, is its own account's to say.
  for (const action of ['DisableKey', 'GetKeyPolicy', 'ScheduleKeyDeletion', 'EnableKey']) {
    await assert.rejects(them(action, { KeyId: Arn }), denied)
  }
  await assert.rejects((await as(third))('Decrypt', { CiphertextBlob }), denied)
  // Their own policies have to allow it, too.
  const weak = await as(other, [{ ...allowAll, actions: ['ec2:*'] }])
  await assert.rejects(weak('Encrypt', { KeyId: Arn, Plaintext: text }), denied)
  await put(policy('kms:DescribeKey'))
  await assert.rejects(them('Decrypt', { CiphertextBlob }), denied)
})

test('a policy that denies its own account is kept to, and one that locks it out is refused', async (context) => {
  const { kms, KeyId, put, refused } = await start(context)
  const deny = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'kms:Encrypt', Resource: '*' }
  await put(policy('kms:DescribeKey', other, [deny]))
  await refused('Encrypt', { KeyId, Plaintext: text }, 'AccessDeniedException')
  await kms('DescribeKey', { KeyId })

  const malformed = 'MalformedPolicyDocumentException'
  const only = (account: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Effect: 'Allow',
        Principal: { AWS: rootOf(account) },
        Action: 'kms:*',
        Resource: '*',
      },
    })
  await refused('PutKeyPolicy', { KeyId, Policy: only(other) }, malformed, /in the future/)
  await refused('CreateKey', { Policy: only(other) }, malformed, /in the future/)
  for (const Policy of ['{}', 'no policy', policy('kms:DescribeKey', 'nobody')])
    await refused('PutKeyPolicy', { KeyId, Policy }, malformed)
  await refused(
    'PutKeyPolicy',
    { KeyId, Policy: only(accountId), PolicyName: 'mine' },
    'NotFoundException',
  )
  const { KeyMetadata } = await kms('CreateKey', { Policy: only(accountId) })
  assert.equal((await kms('GetKeyPolicy', { KeyId: KeyMetadata?.KeyId })).Policy, only(accountId))
  await put(only(other), { BypassPolicyLockoutSafetyCheck: true })
  await refused('DescribeKey', { KeyId }, 'AccessDeniedException')
})

test('who has a snapshot and its key copies it under a key of its own', async (context) => {
  const { system, as, Arn, put } = await start(context)
  const { ec2, db } = system
  const create = { AvailabilityZone: `${region}a`, Encrypted: true }
  await ec2.send(new CreateVolumeCommand({ ...create, Size: 1, KmsKeyId: Arn }))
  const row = snapshotRow({ accountId, region }, { kmsKeyArn: Arn })
  await transaction(db.writes, (tx) => insertSnapshot(tx, row))
  const SnapshotId = row.id
  const CreateVolumePermission = { Add: [{ UserId: other }] }
  await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission }))

  const client = await system.client(other)
  const theirs = (await (await as(other))('CreateKey')).KeyMetadata?.Arn ?? ''
  const copy = async () => {
    const input = { SourceRegion: region, SourceSnapshotId: SnapshotId, Encrypted: true }
    const { SnapshotId: made = '' } = await client.send(
      new CopySnapshotCommand({ ...input, KmsKeyId: theirs }),
    )
    const found = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [made] }))
    return found.Snapshots?.[0]
  }
  assert.equal((await copy())?.State, 'error')
  await put(policy(['kms:DescribeKey', 'kms:ReEncrypt*']))
  const copied = await copy()
  assert.deepEqual([copied?.State, copied?.KmsKeyId], ['pending', theirs])
  // A volume of it is under the account's default key; the key that is shared can only be read with.
  const volume = await client.send(
    new CreateVolumeCommand({ AvailabilityZone: `${region}a`, SnapshotId }),
  )
  assert.match(volume.KmsKeyId ?? '', new RegExp(`^arn:aws:kms:${region}:${other}:key/`))
  const underTheirs = () =>
    client.send(new CreateVolumeCommand({ ...create, SnapshotId, KmsKeyId: Arn }))
  await assert.rejects(underTheirs(), { name: 'InvalidParameterValue' })
  const use = ['kms:DescribeKey', 'kms:ReEncrypt*', 'kms:CreateGrant', 'kms:GenerateDataKey*']
  await put(policy(use))
  assert.equal((await underTheirs()).KmsKeyId, Arn)
})
