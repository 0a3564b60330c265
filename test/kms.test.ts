/** Keys through a client of KMS: made, named, used, disabled and deleted, and every refusal. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { databases } from './databases.ts'
import { callerOf, dayMs, other, startKms as start, text } from './kms-sdk.ts'
import { accountId, allowAll, region } from './system.ts'

for (const database of Object.keys(databases) as (keyof typeof databases)[]) {
  test(`a key is made, encrypts under any of its names, and decrypts by the blob alone (${database})`, async (context) => {
    const { kms, make, refused } = await start(context, database)
    const { KeyMetadata } = await kms('CreateKey', { Description: 'of disks' })
    const { KeyId = '', Arn = '', CreationDate, ...rest } = KeyMetadata ?? {}
    assert.match(KeyId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(Arn, `arn:aws:kms:${region}:${accountId}:key/${KeyId}`)
    assert(CreationDate && Math.abs(CreationDate.getTime() - Date.now()) < 60_000)
    assert.deepEqual(rest, {
      AWSAccountId: accountId,
      Enabled: true,
      Description: 'of disks',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: false,
    })
    await kms('CreateAlias', { AliasName: 'alias/disks', TargetKeyId: KeyId })
    const names = [KeyId, Arn, 'alias/disks', `arn:aws:kms:${region}:${accountId}:alias/disks`]
    const EncryptionContext = { 'aws:ebs:id': 'vol-1', stage: 'prod' }
    const seen = new Set<string>()
    for (const name of names) {
      assert.deepEqual((await kms('DescribeKey', { KeyId: name })).KeyMetadata, KeyMetadata)
      const input = { KeyId: name, Plaintext: text, EncryptionContext }
      const { CiphertextBlob, ...made } = await kms('Encrypt', input)
      assert.deepEqual(made, { KeyId: Arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
      seen.add(Buffer.from(CiphertextBlob ?? []).toString('hex'))
      const words = { stage: 'prod', 'aws:ebs:id': 'vol-1' }
      const { Plaintext, ...opened } = await kms('Decrypt', {
        CiphertextBlob,
        EncryptionContext: words,
      })
      assert.deepEqual(Buffer.from(Plaintext ?? []), text)
      assert.deepEqual(opened, made)
      await kms('Decrypt', { CiphertextBlob, EncryptionContext, KeyId: name })
      await refused('Decrypt', { CiphertextBlob }, 'InvalidCiphertextException')
    }
    // The same text is another blob each time.
    assert.equal(seen.size, names.length)

    const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext: text })
    const second = await make()
    const inSecond = { CiphertextBlob, KeyId: second.KeyId }
    await refused('Decrypt', inSecond, 'IncorrectKeyException')
    const moved = await kms('ReEncrypt', {
      CiphertextBlob,
      SourceKeyId: Arn,
      DestinationKeyId: second.KeyId,
      DestinationEncryptionContext: { now: 'with words' },
    })
    assert.deepEqual([moved.SourceKeyId, moved.KeyId], [Arn, second.Arn])
    const opened = await kms('Decrypt', {
      CiphertextBlob: moved.CiphertextBlob,
      EncryptionContext: { now: 'with words' },
    })
    assert.equal(opened.KeyId, second.Arn)
    assert.deepEqual(Buffer.from(opened.Plaintext ?? []), text)
  })
}

test('a data key comes in the length that is asked for, in plain and encrypted', async (context) => {
  const { kms, make, refused } = await start(context)
  const { KeyId, Arn } = await make()
  for (const [input, count] of [
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
    [{ NumberOfBytes: 1024 }, 1024],
  ] as const) {
    const made = await kms('GenerateDataKey', { KeyId, ...input })
    assert.deepEqual([made.KeyId, made.Plaintext?.length], [Arn, count])
    const { CiphertextBlob } = made
    assert.deepEqual((await kms('Decrypt', { CiphertextBlob })).Plaintext, made.Plaintext)
    const sealed = await kms('GenerateDataKeyWithoutPlaintext', { KeyId, ...input })
    assert.equal(sealed.Plaintext, undefined)
    const opened = await kms('Decrypt', { CiphertextBlob: sealed.CiphertextBlob })
    assert.equal(opened.Plaintext?.length, count)
  }
  for (const input of [
    {},
    { KeySpec: 'AES_256', NumberOfBytes: 32 },
    { KeySpec: 'AES_512' },
    { NumberOfBytes: 0 },
    { NumberOfBytes: 1025 },
  ]) {
    for (const action of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'])
      await refused(action, { KeyId, ...input }, 'ValidationException')
  }
})

test('a key that is disabled or about to go does nothing, and comes back', async (context) => {
  const { kms, make, refused } = await start(context)
  const { KeyId, Arn } = await make()
  const { CiphertextBlob } = await kms('Encrypt', { KeyId, Plaintext: text })
  const uses = [
    ['Encrypt', { KeyId, Plaintext: text }],
    ['Decrypt', { CiphertextBlob }],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
    ['ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }],
  ] as const
  const look = async () => (await kms('DescribeKey', { KeyId })).KeyMetadata
  await kms('DisableKey', { KeyId })
  await kms('DisableKey', { KeyId: Arn })
  for (const [action, input] of uses) await refused(action, input, 'DisabledException')
  assert.deepEqual([(await look())?.KeyState, (await look())?.Enabled], ['Disabled', false])
  await kms('EnableKey', { KeyId })
  for (const [action, input] of uses) await kms(action, input)

  for (const PendingWindowInDays of [6, 31])
    await refused('ScheduleKeyDeletion', { KeyId, PendingWindowInDays }, 'ValidationException')
  await kms('CreateAlias', { AliasName: 'alias/going', TargetKeyId: KeyId })
  const { DeletionDate, ...going } = await kms('ScheduleKeyDeletion', {
    KeyId,
    PendingWindowInDays: 7,
  })
  assert.deepEqual(going, { KeyId: Arn, KeyState: 'PendingDeletion', PendingWindowInDays: 7 })
  assert(Math.abs((DeletionDate?.getTime() ?? 0) - Date.now() - 7 * dayMs) < 60_000)
  assert.deepEqual((await look())?.DeletionDate, DeletionDate)
  const Tags = [{ TagKey: 'a', TagValue: 'b' }]
  for (const [action, input] of [
    ...uses,
    ['EnableKey', { KeyId }],
    ['DisableKey', { KeyId }],
    ['ScheduleKeyDeletion', { KeyId }],
    ['CreateAlias', { AliasName: 'alias/more', TargetKeyId: KeyId }],
    ['UpdateAlias', { AliasName: 'alias/going', TargetKeyId: KeyId }],
    ['TagResource', { KeyId, Tags }],
    ['UntagResource', { KeyId, TagKeys: ['a'] }],
    ['UpdateKeyDescription', { KeyId, Description: 'late' }],
  ] as const)
    await refused(action, input, 'KMSInvalidStateException', /pending deletion/)
  assert.deepEqual(await kms('CancelKeyDeletion', { KeyId }), { KeyId: Arn })
  await refused('CancelKeyDeletion', { KeyId }, 'KMSInvalidStateException')
  assert.deepEqual(
    [(await look())?.KeyState, (await look())?.DeletionDate],
    ['Disabled', undefined],
  )
  await kms('EnableKey', { KeyId })
  assert((await kms('Decrypt', { CiphertextBlob })).Plaintext)
  assert.equal((await kms('ScheduleKeyDeletion', { KeyId })).PendingWindowInDays, 30)
})

test('aliases are put on keys, moved and taken away', async (context) => {
  const { kms, make, refused } = await start(context)
  const [one, two] = [await make(), await make()]
  const name = (AliasName: string, TargetKeyId = one.KeyId) => ({ AliasName, TargetKeyId })
  await kms('CreateAlias', name('alias/app/disks'))
  await refused('CreateAlias', name('alias/app/disks'), 'AlreadyExistsException')
  await kms('UpdateAlias', name('alias/app/disks', two.Arn))
  const { KeyMetadata } = await kms('DescribeKey', { KeyId: 'alias/app/disks' })
  assert.equal(KeyMetadata?.KeyId, two.KeyId)

  for (const AliasName of ['disks', 'alias/', 'alias/a:b', 'Alias/a'])
    await refused('CreateAlias', name(AliasName), 'InvalidAliasNameException')
  for (const AliasName of ['', 'alias/a b', 'alias/ä', `alias/${'x'.repeat(251)}`])
    await refused('CreateAlias', name(AliasName), 'ValidationException')
  for (const action of ['CreateAlias', 'UpdateAlias', 'DeleteAlias'])
    await refused(action, name('alias/aws/ebs'), 'NotAuthorizedException')
  await refused(
    'CreateAlias',
    name('alias/b', 'alias/app/disks'),
    'ValidationException',
    /Not aliases/,
  )
  const nowhere = '00000000-0000-4000-8000-000000000000'
  await refused('CreateAlias', name('alias/b', nowhere), 'NotFoundException')
  await refused('UpdateAlias', name('alias/b'), 'NotFoundException')
  await refused('DeleteAlias', { AliasName: 'alias/b' }, 'NotFoundException')

  const { Aliases } = await kms('ListAliases')
  assert.deepEqual(
    Aliases?.map(({ AliasName, TargetKeyId, AliasArn }) => [AliasName, TargetKeyId, AliasArn]),
    [
      ['alias/app/disks', two.KeyId, `arn:aws:kms:${region}:${accountId}:alias/app/disks`],
      // The alias of AWS is there before its key is.
      ['alias/aws/ebs', undefined, `arn:aws:kms:${region}:${accountId}:alias/aws/ebs`],
    ],
  )
  assert.deepEqual((await kms('ListAliases', { KeyId: one.KeyId })).Aliases, [])
  await refused('ListAliases', { KeyId: nowhere }, 'NotFoundException')
  await kms('DeleteAlias', { AliasName: 'alias/app/disks' })
  await refused('DescribeKey', { KeyId: 'alias/app/disks' }, 'NotFoundException')

  await Promise.all(
    Array.from({ length: 50 }, (_, index) => kms('CreateAlias', name(`alias/n${index}`))),
  )
  await refused('CreateAlias', name('alias/one-more'), 'LimitExceededException')
  const first = await kms('ListAliases', { Limit: 30 })
  assert.deepEqual([first.Aliases?.length, first.Truncated], [30, true])
  const last = await kms('ListAliases', { Limit: 30, Marker: first.NextMarker })
  assert.deepEqual([last.Aliases?.length, last.Truncated, last.NextMarker], [21, false, undefined])
  await refused('ListAliases', { Marker: 'nonsense' }, 'InvalidMarkerException')
  await refused('ListAliases', { Limit: 101 }, 'ValidationException')
})

test('keys are listed, described and tagged', async (context) => {
  const { kms, make, refused } = await start(context)
  const Tags = [{ TagKey: 'team', TagValue: 'a' }]
  const { KeyId, Arn } = await make({ Tags })
  await make()
  const first = await kms('ListKeys', { Limit: 1 })
  const last = await kms('ListKeys', { Limit: 1, Marker: first.NextMarker })
  assert.deepEqual([first.Truncated, last.Truncated], [true, false])
  const listed = [...(first.Keys ?? []), ...(last.Keys ?? [])]
  assert.deepEqual(listed.length, 2)
  assert(listed.some((key) => key.KeyId === KeyId && key.KeyArn === Arn))

  await kms('TagResource', {
    KeyId,
    Tags: [
      { TagKey: 'team', TagValue: 'b' },
      { TagKey: 'x', TagValue: '' },
    ],
  })
  const tags = async () => (await kms('ListResourceTags', { KeyId: Arn })).Tags
  assert.deepEqual(await tags(), [
    { TagKey: 'team', TagValue: 'b' },
    { TagKey: 'x', TagValue: '' },
  ])
  await kms('UntagResource', { KeyId, TagKeys: ['x', 'y'] })
  assert.deepEqual(await tags(), [{ TagKey: 'team', TagValue: 'b' }])
  const reserved = [{ TagKey: 'aws:a', TagValue: 'b' }]
  await refused('TagResource', { KeyId, Tags: reserved }, 'TagException')
  await refused('CreateKey', { Tags: [...Tags, ...Tags] }, 'TagException')
  const many = Array.from({ length: 50 }, (_, index) => ({ TagKey: `t${index}`, TagValue: '' }))
  await refused('TagResource', { KeyId, Tags: many }, 'LimitExceededException')

  await kms('UpdateKeyDescription', { KeyId, Description: 'better' })
  assert.equal((await kms('DescribeKey', { KeyId })).KeyMetadata?.Description, 'better')
  const Description = 'x'.repeat(8193)
  await refused('UpdateKeyDescription', { KeyId, Description }, 'ValidationException')
  const { Policy = '' } = await kms('GetKeyPolicy', { KeyId, PolicyName: 'default' })
  assert.match(Policy, new RegExp(`"arn:aws:iam::${accountId}:root"`))
  await refused('GetKeyPolicy', { KeyId, PolicyName: 'mine' }, 'NotFoundException')
  assert.deepEqual((await kms('ListKeyPolicies', { KeyId })).PolicyNames, ['default'])
  assert.equal((await kms('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled, false)
})

test('what there is no such thing for is refused by name', async (context) => {
  const { kms, make, refused } = await start(context)
  const { KeyId } = await make()
  const unsupported = 'UnsupportedOperationException'
  for (const [input, message] of [
    [{ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }, /RSA_2048/],
    [{ CustomerMasterKeySpec: 'HMAC_256' }, /HMAC_256/],
    [{ MultiRegion: true }, /MultiRegion/],
    [{ Origin: 'EXTERNAL' }, /EXTERNAL/],
    [{ CustomKeyStoreId: 'cks-1' }, /CustomKeyStoreId/],
  ] as const)
    await refused('CreateKey', input, unsupported, message)
  const both = { KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' }
  await refused('CreateKey', both, 'ValidationException')
  await refused('CreateKey', { KeyUsage: 'SIGN_VERIFY' }, 'ValidationException')
  await refused('EnableKeyRotation', { KeyId }, unsupported, /EnableKeyRotation/)
  await refused(
    'CreateGrant',
    { KeyId, GranteePrincipal: 'x', Operations: ['Encrypt'] },
    unsupported,
  )
  const encrypt = { KeyId, Plaintext: text }
  const tokens = { ...encrypt, GrantTokens: ['x'] }
  await refused('Encrypt', tokens, 'InvalidGrantTokenException')
  const rsa = { ...encrypt, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  await refused('Encrypt', rsa, 'InvalidKeyUsageException')
  await refused('Encrypt', { ...encrypt, EncryptionAlgorithm: 'ROT13' }, 'ValidationException')
  await refused('Encrypt', { ...encrypt, DryRun: true }, 'DryRunOperationException')
  await kms('Encrypt', { KeyId, Plaintext: Buffer.alloc(4096) })
  for (const length of [0, 4097]) {
    const Plaintext = Buffer.alloc(length)
    await refused('Encrypt', { KeyId, Plaintext }, 'ValidationException', /'plaintext'/)
  }
  const EncryptionContext = { long: 'x'.repeat(8192) }
  await refused('Encrypt', { ...encrypt, EncryptionContext }, 'ValidationException')

  const missing = 'NotFoundException'
  const nowhere = '00000000-0000-4000-8000-000000000000'
  for (const name of [
    '',
    'nonsense',
    nowhere,
    'alias/nope',
    `arn:aws:kms:us-west-2:${accountId}:key/${KeyId}`,
  ])
    await refused('Encrypt', { KeyId: name, Plaintext: text }, missing)
  await refused('Encrypt', { KeyId: 'arn:aws:kms:x', Plaintext: text }, 'InvalidArnException')
  await kms('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
  await refused('DisableKey', { KeyId: 'alias/a' }, missing)
  const aliasArn = `arn:aws:kms:${region}:${accountId}:alias/a`
  await refused('DisableKey', { KeyId: aliasArn }, 'InvalidArnException')

  const { CiphertextBlob } = await kms('Encrypt', encrypt)
  const damaged = Buffer.from(CiphertextBlob ?? [])
  damaged.writeUInt8(damaged.readUInt8(40) ^ 1, 40)
  for (const blob of [damaged, Buffer.from('x'), Buffer.alloc(6144)])
    await refused('Decrypt', { CiphertextBlob: blob }, 'InvalidCiphertextException')
  await refused('Decrypt', { CiphertextBlob: Buffer.alloc(6145) }, 'ValidationException')
  await refused('Decrypt', {}, 'ValidationException')
})

test('a key is for its own account and Region, and for whom policies let', async (context) => {
  const { system, kms, make, as } = await start(context)
  const [one, two] = [await make(), await make()]
  await kms('CreateAlias', { AliasName: 'alias/one', TargetKeyId: one.KeyId })
  const { CiphertextBlob } = await kms('Encrypt', { KeyId: one.KeyId, Plaintext: text })
  const denied = { name: 'AccessDeniedException' }
  const stranger = await as(other)
  for (const KeyId of [one.Arn, `arn:aws:kms:${region}:${accountId}:alias/one`]) {
    await assert.rejects(stranger('DescribeKey', { KeyId }), denied)
    await assert.rejects(stranger('Encrypt', { KeyId, Plaintext: text }), denied)
  }
  await assert.rejects(stranger('DisableKey', { KeyId: one.Arn }), denied)
  await assert.rejects(stranger('Decrypt', { CiphertextBlob }), denied)
  await assert.rejects(stranger('DescribeKey', { KeyId: one.KeyId }), { name: 'NotFoundException' })
  assert.deepEqual((await stranger('ListKeys')).Keys, [])
  const inWest = callerOf(context, system.settingsWith({ region: 'us-west-2' }))
  await assert.rejects(inWest('Decrypt', { CiphertextBlob }), denied)
  await assert.rejects(inWest('DescribeKey', { KeyId: 'alias/one' }), { name: 'NotFoundException' })

  // Of the same account, with leave for one key, by whatever name it goes.
  const actions = ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncryptFrom']
  const user = await as(accountId, [{ effect: 'Allow', actions, resources: [one.Arn] }])
  await user('Encrypt', { KeyId: 'alias/one', Plaintext: text })
  await user('Decrypt', { CiphertextBlob })
  for (const KeyId of [two.KeyId, two.Arn])
    await assert.rejects(user('Encrypt', { KeyId, Plaintext: text }), denied)
  await kms('UpdateAlias', { AliasName: 'alias/one', TargetKeyId: two.KeyId })
  await assert.rejects(user('Encrypt', { KeyId: 'alias/one', Plaintext: text }), denied)
  await assert.rejects(user('Encrypt', { KeyId: 'alias/nope', Plaintext: text }), denied)
  await assert.rejects(user('ReEncrypt', { CiphertextBlob, DestinationKeyId: two.KeyId }), denied)
  await assert.rejects(user('ListKeys'), denied)
  const deny = { effect: 'Deny', actions: ['kms:Decrypt'], resources: [one.Arn] } as const
  const careful = await as(accountId, [allowAll, deny])
  await assert.rejects(careful('Decrypt', { CiphertextBlob }), denied)
})

test('the key of AWS is made when it is first asked for, and can only be looked at', async (context) => {
  const { kms, as, refused } = await start(context)
  const KeyId = 'alias/aws/ebs'
  const { KeyMetadata } = await kms('DescribeKey', { KeyId })
  assert.deepEqual([KeyMetadata?.KeyManager, KeyMetadata?.KeyState], ['AWS', 'Enabled'])
  assert.deepEqual((await kms('DescribeKey', { KeyId })).KeyMetadata, KeyMetadata)
  const id = KeyMetadata?.KeyId
  assert.equal((await kms('ListAliases')).Aliases?.[0]?.TargetKeyId, id)
  assert.match((await kms('GetKeyPolicy', { KeyId: id })).Policy ?? '', /kms:ViaService/)
  const theirs = await (await as(other))('DescribeKey', { KeyId })
  assert.notEqual(theirs.KeyMetadata?.KeyId, id)
  for (const [action, input] of [
    ['DisableKey', { KeyId: id }],
    ['EnableKey', { KeyId: id }],
    ['ScheduleKeyDeletion', { KeyId: id }],
    ['CancelKeyDeletion', { KeyId: id }],
    ['TagResource', { KeyId: id, Tags: [] }],
    ['UpdateKeyDescription', { KeyId: id, Description: 'mine' }],
    ['CreateAlias', { AliasName: 'alias/mine', TargetKeyId: id }],
    ['Encrypt', { KeyId, Plaintext: text }],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
  ] as const)
    await refused(action, input, 'AccessDeniedException')
})
