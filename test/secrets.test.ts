/**
 * A story with secrets of every kind, on a service that runs as it does for users: none is then in its
 * log, in what the host tells of its processes, in an answer that refuses something, in a trail,
 * or, where it is sealed, in a file.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  AttachVolumeCommand,
  CreateKeyPairCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeRegionsCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
  RegisterImageCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2'
import { CloudTrailClient, LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  IAMClient,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  KMSClient,
} from '@aws-sdk/client-kms'
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { KillableServer } from './killable-server.ts'
import { accountId, region } from './system.ts'

/** A secret, and where it may be all the same. */
interface Known {
  readonly name: string
  readonly bytes: Buffer
  /** Kept as it is: a guest reads it, and so does whoever may describe the instance. */
  readonly isKept?: boolean
}

const trust = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'sts:AssumeRole',
    },
  ],
}
const everything = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
}

test('no secret is in a log, a process, a refusal, a trail or a file', async (context) => {
  const rootSecret = `root-${randomBytes(15).toString('hex')}`
  const secrets: Known[] = []
  const know = (name: string, value: string | Uint8Array | undefined, isKept = false) => {
    assert(value && value.length >= 16, name)
    secrets.push({ name, bytes: Buffer.from(value), isKept })
    return value
  }
  know('the secret key of the administrator', rootSecret)
  const server = await KillableServer.make(context)
  const started = await server.start({
    env: {
      IMAGO_ROOT_ACCESS_KEY_ID: 'AKIAADMINISTRATOR000',
      IMAGO_ROOT_SECRET_ACCESS_KEY: rootSecret,
      IMAGO_OUTBOUND_HOSTS: '127.0.0.1',
    },
  })
  assert(started)
  const { settings, ec2 } = server
  const clients = {
    iam: new IAMClient(settings),
    sts: new STSClient(settings),
    kms: new KMSClient(settings),
    ssm: new SSMClient(settings),
    trail: new CloudTrailClient(settings),
  }
  context.after(() => Object.values(clients).forEach((client) => client.destroy()))
  const { iam, sts, kms, ssm, trail } = clients

  // Keys and sessions.
  await iam.send(new CreateUserCommand({ UserName: 'ada' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ada' }))
  know('a secret key', AccessKey?.SecretAccessKey)
  const document = JSON.stringify(trust)
  await iam.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: document }))
  const PolicyDocument = JSON.stringify(everything)
  await iam.send(new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'all', PolicyDocument }))
  const RoleArn = `arn:aws:iam::${accountId}:role/r`
  const { Credentials } = await sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'ada' }))
  know('the secret key of a session', Credentials?.SecretAccessKey)
  know('the token of a session', Credentials?.SessionToken)
  const session = {
    accessKeyId: Credentials?.AccessKeyId ?? '',
    secretAccessKey: Credentials?.SecretAccessKey ?? '',
    sessionToken: Credentials?.SessionToken ?? '',
  }
  const refusals: string[] = []
  const refused = async (work: Promise<unknown>) => {
    const error: unknown = await work.then(
      () => assert.fail('it was not refused'),
      (thrown: unknown) => thrown,
    )
    refusals.push(String(error), JSON.stringify(error))
  }
  const asWhom = async (credentials: typeof session) => {
    const client = new EC2Client({ ...settings, credentials })
    await client.send(new DescribeRegionsCommand({})).finally(() => client.destroy())
  }
  await asWhom(session)
  await refused(asWhom({ ...session, secretAccessKey: `${session.secretAccessKey}x` }))
  await refused(asWhom({ ...session, sessionToken: session.sessionToken.slice(1) }))
  await refused(asWhom({ ...session, accessKeyId: 'ASIANOBODY0000000000' }))

  // What is encrypted, and what with.
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId
  const Plaintext = randomBytes(48)
  know('a text to be encrypted', Plaintext)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId, Plaintext }))
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await refused(kms.send(new EncryptCommand({ KeyId: 'alias/none', Plaintext })))
  const dataKey = await kms.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
  know('a data key', dataKey.Plaintext)
  const Value = `parameter-${randomBytes(15).toString('hex')}`
  know('a parameter', Value)
  const parameter = { Name: '/password', Value, Type: 'SecureString' } as const
  await ssm.send(new PutParameterCommand(parameter))
  await ssm.send(new GetParameterCommand({ Name: '/password', WithDecryption: true }))
  await refused(ssm.send(new PutParameterCommand(parameter)))
  await refused(
    ssm.send(new PutParameterCommand({ ...parameter, KeyId: 'alias/none', Overwrite: true })),
  )
  const hook = { url: 'http://127.0.0.1:9/hook' }
  const subscription = await server.imago('POST', '/imago/v1/event-subscriptions', hook)
  know('the secret of a webhook', String(subscription['secret']))
  const { KeyMaterial = '' } = await ec2.send(new CreateKeyPairCommand({ KeyName: 'ada' }))
  know('a private key', KeyMaterial.split('\n').slice(3, 5).join('\n'))

  // A machine with an encrypted disk, and what it is told.
  const password = `password-${randomBytes(15).toString('hex')}`
  know('a password in user data', password, true)
  const AvailabilityZone = `${region}a`
  const disk = await ec2.send(
    new CreateVolumeCommand({ AvailabilityZone, Size: 1, Encrypted: true }),
  )
  const volumeIs = async (id: string | undefined, state: string) => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id ?? ''] }))
    return Volumes?.[0]?.State === state
  }
  await server.until('the volume', () => volumeIs(disk.VolumeId, 'available'))
  const { SnapshotId } = await ec2.send(new CreateSnapshotCommand({ VolumeId: disk.VolumeId }))
  await server.until('the snapshot', async () => {
    const found = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId ?? ''] }))
    return found.Snapshots?.[0]?.State === 'completed'
  })
  const { ImageId } = await ec2.send(
    new RegisterImageCommand({
      Name: 'sealed',
      Architecture: 'x86_64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      RootDeviceName: '/dev/xvda',
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId } }],
    }),
  )
  const launch = { ImageId, InstanceType: 't3.nano', MinCount: 1, MaxCount: 1 } as const
  const UserData = Buffer.from(`#!/bin/sh\necho ${password}`).toString('base64')
  const { Instances } = await ec2.send(new RunInstancesCommand({ ...launch, UserData }))
  await refused(ec2.send(new RunInstancesCommand({ ...launch, UserData, KeyName: 'nobody' })))
  const id = Instances?.[0]?.InstanceId ?? ''
  await server.until('the machine', async () => {
    const found = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
    return found.Reservations?.[0]?.Instances?.[0]?.State?.Name === 'running'
  })
  const attachment = { InstanceId: id, VolumeId: disk.VolumeId, Device: '/dev/sdf' }
  await ec2.send(new AttachVolumeCommand(attachment))
  await server.until('the disk', () => volumeIs(disk.VolumeId, 'in-use'))
  know('the master key', await readFile(join(server.dataFolder, 'master-key')))

  const events = await server.until('the trail', async () => {
    const found = await trail.send(new LookupEventsCommand({ MaxResults: 50 }))
    const texts = (found.Events ?? []).map(({ CloudTrailEvent }) => CloudTrailEvent ?? '')
    return texts.some((text) => text.includes('"AttachVolume"')) && texts.join('\n')
  })
  const processes = await processesOf(server.dataFolder)
  for (const name of ['qemu', 'dnsmasq', 'slirp4netns']) {
    assert(
      [...processes.keys()].some((one) => one.includes(name)),
      name,
    )
  }
  const places = new Map<string, Buffer>([
    ['the log', await readFile(server.logFile)],
    ['refusals', Buffer.from(refusals.join('\n'))],
    ['the trail', Buffer.from(events)],
    ...processes,
  ])
  const files = await filesIn(server.dataFolder)
  assert(files.has('imago.db') && [...files.keys()].some((path) => path.endsWith('console.log')))
  for (const known of secrets) {
    assert.deepEqual(placesWith(known, places), [], known.name)
    assert.deepEqual(placesWith(known, files), known.isKept ? keptIn(known, files) : [], known.name)
  }
  // What is looked for would be found.
  const named = placesWith({ name: 'a name', bytes: Buffer.from('/password') }, files)
  assert(named.some((path) => path.startsWith('imago.db')))
  assert.notDeepEqual(
    placesWith({ name: 'a call', bytes: Buffer.from('AttachVolume') }, places),
    [],
  )
})

/** The database and its log alone. */
function keptIn(known: Known, files: ReadonlyMap<string, Buffer>): readonly string[] {
  return placesWith(known, files).filter((path) => /^imago\.db(-wal)?$/.test(path))
}

function placesWith({ bytes }: Known, places: ReadonlyMap<string, Buffer>): readonly string[] {
  const forms = ['latin1', 'hex', 'base64', 'base64url'] as const
  // The ends of a text in Base64 depend on what stands beside it.
  const texts = forms.map((form) => bytes.toString(form).slice(0, 40).replace(/=+$/, ''))
  return [...places]
    .filter(([, content]) => texts.some((text) => content.includes(text.slice(0, -2), 0, 'latin1')))
    .map(([name]) => name)
}

/** What the host tells of every process that has to do with a data folder; of the service itself, what it was started with. */
async function processesOf(dataFolder: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>()
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const line = await readFile(`/proc/${pid}/cmdline`).catch(() => Buffer.alloc(0))
    const environment = await readFile(`/proc/${pid}/environ`).catch(() => Buffer.alloc(0))
    const isService = environment.includes(`IMAGO_DATA=${dataFolder}`)
    if (!isService && !line.includes(dataFolder)) continue
    const name = `${pid} ${line.toString().split('\0')[0]}`
    found.set(name, isService ? line : Buffer.concat([line, environment]))
  }
  return found
}

async function filesIn(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const isSparse = entry.name.endsWith('.raw') || entry.name.endsWith('.fd')
    if (!entry.isFile() || entry.name === 'master-key' || isSparse) continue
    files.set(path.slice(folder.length + 1), await readFile(path))
  }
  return files
}
