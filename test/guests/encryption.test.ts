/** Encrypted disks under a real guest: it notices nothing, and nobody else can read them. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  AttachVolumeCommand,
  CreateSnapshotsCommand,
  CreateVolumeCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  ModifyVolumeCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2'
import { readMasterKey } from '../../src/db/master-key.ts'
import { openDiskKey } from '../../src/kms/disk-keys.ts'
import { keysOfVolume } from '../../src/volumes/disk-keys.ts'
import { findVolumeById } from '../../src/volumes/store.ts'
import { callerOf } from '../kms-sdk.ts'
import { describeInstance, eventually, startWorld, type World } from './world.ts'

const pattern = 'nobody but the guest shall read this. '
const diskOf = (id: string) => `/dev/disk/by-id/virtio-${id.replace('-', '')}`

async function untilVolume({ ec2 }: World, id: string, state: string): Promise<void> {
  await eventually(`${id} is ${state}`, async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
    assert.notEqual(Volumes?.[0]?.State, 'error')
    return Volumes?.[0]?.State === state
  })
}

async function untilAttached({ ec2 }: World, id: string): Promise<void> {
  await eventually(`${id} is attached`, async () => {
    const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }))
    return Volumes?.[0]?.Attachments?.[0]?.State === 'attached'
  })
}

/** The disk key, and the passphrases of a volume's files, in all forms that they might be found in. */
async function secretsOf(
  { system }: World,
  keyArn: string,
  id: string,
): Promise<readonly Buffer[]> {
  const volume = await findVolumeById(system.db.reads, id as `vol-${string}`)
  const path = join(system.dataFolder, 'master-key')
  const masterKey = await readMasterKey({ path, randomBytes })
  assert(volume && masterKey)
  const diskKey = await openDiskKey(system.db.reads, keyArn, masterKey)
  const keys = await keysOfVolume(volume, async () => diskKey)
  assert(keys)
  const files = keys.base ? [keys.layers, keys.base] : [keys.layers]
  const raw = [diskKey, ...files.map((key) => key.masterKey(1))].map((bytes) => Buffer.from(bytes))
  return [
    ...files.map((key) => Buffer.from(key.passphrase().reveal())),
    ...raw.flatMap((bytes) => [
      bytes,
      Buffer.from(bytes.toString('hex')),
      Buffer.from(bytes.toString('base64')),
    ]),
  ]
}

/** Every file of a folder that holds one of these. */
async function filesWith(folder: string, texts: readonly Buffer[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name)
    const found = await stat(path).catch(() => undefined)
    if (!found?.isFile()) continue
    // No file of the encrypted disks is so large; the sparse base of the plain image is.
    if (found.size > 200 * 2 ** 20) continue
    const bytes = await readFile(path)
    if (texts.some((text) => bytes.includes(text))) names.push(name)
  }
  return names
}

test('a guest runs on encrypted disks, whose snapshots and copies nobody can read without the key', async (context) => {
  const world = await startWorld(context)
  const { ec2, system } = world
  const kms = callerOf(context, system.settingsWith())
  const keyArn = (await kms('CreateKey')).KeyMetadata?.Arn ?? ''
  const encrypted = { Encrypted: true, KmsKeyId: keyArn }
  const guest = await world.launch({
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { ...encrypted } },
      { DeviceName: '/dev/sdf', Ebs: { ...encrypted, VolumeSize: 1, DeleteOnTermination: true } },
    ],
  })
  await guest.ready()
  const described = await describeInstance(ec2, guest.id)
  const volumeOf = (name: string) =>
    described.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === name)?.Ebs?.VolumeId ??
    ''
  const data = volumeOf('/dev/sdf')
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
  for (const { VolumeId, Encrypted, KmsKeyId } of Volumes) {
    assert.deepEqual([VolumeId, Encrypted, KmsKeyId], [VolumeId, true, keyArn])
  }
  await guest.run(
    `mkfs.ext4 -q ${diskOf(data)} && mkdir -p /mnt/a && mount ${diskOf(data)} /mnt/a && ` +
      `yes '${pattern}' | head -n 20000 >/mnt/a/text && cp /mnt/a/text /root/text && sync`,
  )

  const { Snapshots = [] } = await ec2.send(
    new CreateSnapshotsCommand({ InstanceSpecification: { InstanceId: guest.id } }),
  )
  const SnapshotIds = Snapshots.flatMap(({ SnapshotId }) => SnapshotId ?? [])
  const made = await eventually('the snapshots', async () => {
    const found = (await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }))).Snapshots ?? []
    for (const { State, StateMessage } of found) assert.notEqual(State, 'error', StateMessage ?? '')
    return found.every(({ State }) => State === 'completed') && found
  })
  for (const { Encrypted, KmsKeyId } of made)
    assert.deepEqual([Encrypted, KmsKeyId], [true, keyArn])
  await guest.run('echo more >/mnt/a/more && sync')

  // A volume of the snapshot, plugged into the running machine, holds what was on the disk.
  const snapshot = made.find(({ VolumeId }) => VolumeId === data)
  const { VolumeId: second = '' } = await ec2.send(
    new CreateVolumeCommand({
      AvailabilityZone: described.Placement?.AvailabilityZone,
      SnapshotId: snapshot?.SnapshotId,
    }),
  )
  await untilVolume(world, second, 'available')
  const attach = { VolumeId: second, InstanceId: guest.id, Device: '/dev/sdg' }
  await ec2.send(new AttachVolumeCommand(attach))
  await untilAttached(world, second)
  await eventually('the disk', async () => (await guest.try(`[ -b ${diskOf(second)} ]`)).code === 0)
  await guest.run(
    `mkdir -p /mnt/b && mount ${diskOf(second)} /mnt/b && cmp /mnt/a/text /mnt/b/text`,
  )
  assert.equal((await guest.try('ls /mnt/b/more')).code === 0, false)
  await ec2.send(new ModifyVolumeCommand({ VolumeId: second, Size: 2 }))
  await eventually('the disk grows', async () => {
    const size = await guest.run(`blockdev --getsize64 ${diskOf(second)}`)
    return size === String(2 * 2 ** 30)
  })
  await guest.run('umount /mnt/b')
  await ec2.send(new DetachVolumeCommand({ VolumeId: second }))
  await untilVolume(world, second, 'available')

  const pid = (await readFile(join(system.dataFolder, 'run', guest.id, 'pid'), 'utf8')).trim()
  const rootId = volumeOf(described.RootDeviceName ?? '')
  const secrets = [
    ...(await secretsOf(world, keyArn, rootId)),
    ...(await secretsOf(world, keyArn, data)),
  ]
  for (const name of ['cmdline', 'environ']) {
    const bytes = await readFile(`/proc/${pid}/${name}`)
    assert(!secrets.some((secret) => bytes.includes(secret)), name)
  }
  const searched = [Buffer.from(pattern), ...secrets]
  assert((await filesWith(system.dataFolder, [Buffer.from(data)])).length > 0)
  assert.deepEqual(await filesWith(system.dataFolder, searched), [])

  // Without its key it does not start; with it, it goes on where it was.
  await ec2.send(new StopInstancesCommand({ InstanceIds: [guest.id], Force: true }))
  await world.untilState(guest.id, 'stopped')
  await kms('DisableKey', { KeyId: keyArn })
  await ec2.send(new StartInstancesCommand({ InstanceIds: [guest.id] }))
  const { StateReason } = await world.untilState(guest.id, 'stopped')
  assert.equal(StateReason?.Code, 'Client.InvalidKMSKey.InvalidState')
  await kms('EnableKey', { KeyId: keyArn })
  await ec2.send(new StartInstancesCommand({ InstanceIds: [guest.id] }))
  await guest.ready()
  assert.equal(await guest.run('head -n 1 /root/text'), pattern.trim())
})
