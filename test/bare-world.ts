/**
 * Machines without an operating system on a server that can be killed, and what
 * was asked of them: the states in which each thing may be once all is settled.
 * What was answered holds; what was not may have happened or not.
 */
import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  CopyVolumesCommand,
  CreateImageCommand,
  CreateReplaceRootVolumeTaskCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DisableEbsEncryptionByDefaultCommand,
  EC2ServiceException,
  EnableEbsEncryptionByDefaultCommand,
  ModifyVolumeCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { blockSizeBytes } from '../src/block-store/block.ts'
import { blocksOf } from '../src/block-store/manifest.ts'
import { CommandFailed } from '../src/cli/failure.ts'
import { parseDigest } from '../src/lib/digest.ts'
import { baseName } from '../src/qemu/base-files.ts'
import { countsOf, writeBareDisk } from './bare-disk.ts'
import type { KillableServer } from './killable-server.ts'

/** No answer came, so nobody knows. */
export class ServerGone extends Error {
  override readonly name = 'ServerGone'
}

interface Known {
  /** The states that it may be in; `gone` where it is not shown. */
  allowed: Set<string>
  /** Of the machine, while nobody has asked to end it. */
  pid?: number | undefined
}

interface Token {
  readonly imageId: string
  readonly count: number
  readonly ids: readonly string[] | undefined
}

/** What the rows say is still owed, none when all is settled. Bare guests never let go of a disk. */
const owed = `
  SELECT id, state FROM instances WHERE state IN ('pending', 'stopping', 'shutting-down')
  UNION ALL SELECT id, 'reboot' FROM instances WHERE state = 'running' AND reboots_wanted <> reboots_done
  UNION ALL SELECT id, state FROM volumes WHERE state IN ('creating', 'deleting')
  UNION ALL SELECT volume_id, state FROM volume_attachments WHERE state = 'attaching'
  UNION ALL SELECT volume_id, a.state FROM volume_attachments a JOIN instances i ON i.id = instance_id
    WHERE a.state = 'detaching' AND i.state <> 'running'
  UNION ALL SELECT volume_id, state FROM volume_modifications WHERE state IN ('modifying', 'optimizing')
  UNION ALL SELECT id, state FROM replace_root_volume_tasks WHERE state IN ('pending', 'in-progress')
  UNION ALL SELECT id, state FROM snapshots WHERE state = 'pending'
  UNION ALL SELECT id, state FROM freezes WHERE state = 'wanted'
  UNION ALL SELECT id, state FROM images WHERE state = 'pending'
  UNION ALL SELECT id, state FROM imports WHERE state = 'active'
  UNION ALL SELECT id, state FROM import_tasks WHERE state IN ('active', 'deleting')`

export class BareWorld {
  readonly server: KillableServer
  readonly known = new Map<string, Known>()
  readonly tokens = new Map<string, Token>()
  /** Images of one instance, in the order in which they were asked for. */
  readonly bakes = new Map<string, string[]>()
  /** Several callers at once: who came last is not known, so each may have. */
  readonly isConcurrent: boolean
  imageId = ''
  snapshotId = ''
  #names = 0

  constructor(server: KillableServer, { isConcurrent }: { readonly isConcurrent: boolean }) {
    this.server = server
    this.isConcurrent = isConcurrent
  }

  /** Imports the bare disk as the image that all begins with. */
  async prepare(): Promise<void> {
    const path = join(this.server.dataFolder, 'bare.raw')
    await writeBareDisk(path, 'bare')
    await this.import(path, 'bare')
    const { imageId, snapshotId } = await this.#row<{ imageId: string; snapshotId: string }>(
      `SELECT image_id AS imageId, snapshot_id AS snapshotId FROM imports`,
    )
    Object.assign(this, { imageId, snapshotId })
  }

  /** Whether all disks that are made from now on are encrypted. */
  async encrypts(all: boolean): Promise<void> {
    const command = all
      ? new EnableEbsEncryptionByDefaultCommand({})
      : new DisableEbsEncryptionByDefaultCommand({})
    await this.#answered(this.server.ec2.send(command))
  }

  async import(source: string, name: string): Promise<string> {
    const { server } = this
    const begun = await this.#answered(
      server.imago('POST', '/imago/v1/imports', { source, name, bootMode: 'legacy-bios' }),
    )
    const path = `/imago/v1/imports/${String(begun['importId'])}`
    const done = await this.until(`the import ${name}`, async () => {
      const now = await this.#answered(server.imago('GET', path))
      assert.notEqual(now['state'], 'error', String(now['message']))
      return now['state'] === 'completed' && now
    })
    return String(done['imageId'])
  }

  async run(imageId: string, count = 1): Promise<readonly string[]> {
    const token = `token-${this.#names++}`
    this.tokens.set(token, { imageId, count, ids: undefined })
    const ids = await this.runAgain(token)
    for (const id of ids) this.#made(id, 'running')
    this.tokens.set(token, { imageId, count, ids })
    return ids
  }

  /** The same call as before, or for the first time. */
  async runAgain(token: string): Promise<readonly string[]> {
    const { imageId, count } = this.tokens.get(token) ?? { imageId: '', count: 0 }
    const { Instances = [] } = await this.#answered(
      this.server.ec2.send(
        new RunInstancesCommand({
          ImageId: imageId,
          MinCount: count,
          MaxCount: count,
          InstanceType: 't3.nano',
          ClientToken: token,
        }),
      ),
    )
    assert.equal(Instances.length, count)
    return Instances.map(({ InstanceId = '' }) => InstanceId)
  }

  async createImage(instanceId: string, noReboot: boolean): Promise<string> {
    const Name = `image-${this.#names++}`
    const command = { InstanceId: instanceId, Name, NoReboot: noReboot }
    const { ImageId = '' } = await this.#answered(
      this.server.ec2.send(new CreateImageCommand(command)),
    )
    this.#made(ImageId, 'available')
    this.bakes.set(instanceId, [...(this.bakes.get(instanceId) ?? []), ImageId])
    return ImageId
  }

  async createSnapshot(volumeId: string): Promise<string> {
    const { SnapshotId = '' } = await this.#answered(
      this.server.ec2.send(new CreateSnapshotCommand({ VolumeId: volumeId })),
    )
    this.#made(SnapshotId, 'completed')
    return SnapshotId
  }

  /** A blank one, or one of a snapshot. */
  async createVolume(SnapshotId?: string): Promise<string> {
    const shape = SnapshotId === undefined ? { Size: 1 } : { SnapshotId }
    const command = { ...shape, AvailabilityZone: 'us-east-1a' }
    const { VolumeId = '' } = await this.#answered(
      this.server.ec2.send(new CreateVolumeCommand(command)),
    )
    this.#made(VolumeId, 'available')
    return VolumeId
  }

  /** A copy of a volume as it is now. */
  async copyVolume(SourceVolumeId: string): Promise<string> {
    const { Volumes: [copy] = [] } = await this.#answered(
      this.server.ec2.send(new CopyVolumesCommand({ SourceVolumeId })),
    )
    const { VolumeId = '' } = copy ?? {}
    this.#made(VolumeId, 'available')
    return VolumeId
  }

  /** A call after which these are in that state. One that is refused has changed nothing. */
  async change(ids: readonly string[], to: string, call: () => Promise<unknown>): Promise<void> {
    const before = ids.map((id) => this.#of(id))
    for (const known of before) {
      known.allowed = new Set([...known.allowed, to])
      // Whoever may have ended the machine, also by a call that was lost.
      if (to !== 'running') delete known.pid
    }
    try {
      await this.#answered(call())
    } catch (error) {
      if (!(error instanceof EC2ServiceException) || this.isConcurrent) throw error
      for (const known of before) known.allowed.delete(to)
      throw error
    }
    const isFinal = to === 'terminated' || to === 'gone'
    if (isFinal || !this.isConcurrent) for (const known of before) known.allowed = new Set([to])
  }

  async send<T>(promise: Promise<T>): Promise<T> {
    return await this.#answered(promise)
  }

  async until<T>(what: string, is: () => Promise<T | undefined | false>): Promise<T> {
    try {
      return await this.server.until(what, is)
    } catch (error) {
      if (!this.server.isUp) throw new ServerGone(what, { cause: error })
      throw error
    }
  }

  /** Waits for a state that the rows say. */
  async reaches(id: string, ...states: readonly string[]): Promise<void> {
    const table = tableOf(id)
    await this.until(`${id} is ${states.join(' or ')}`, async () => {
      const { state } = await this.#row<{ state?: string }>(
        `SELECT state FROM ${table} WHERE id = '${id}'`,
      )
      return states.includes(state ?? 'gone')
    })
    const known = this.known.get(id)
    if (table === 'instances' && known && states.includes('running')) {
      known.pid = (await this.server.machines()).get(id)
    }
  }

  async attached(volumeId: string): Promise<void> {
    await this.until(`${volumeId} is attached`, async () => {
      const query = `SELECT state FROM volume_attachments WHERE volume_id = '${volumeId}'`
      return (await this.#row<{ state?: string }>(query)).state === 'attached'
    })
  }

  async grow(VolumeId: string, Size: number): Promise<void> {
    await this.#answered(this.server.ec2.send(new ModifyVolumeCommand({ VolumeId, Size })))
  }

  /** Whether no change of the volume is under way. */
  async isChanged(volumeId: string): Promise<boolean> {
    const query = `SELECT volume_id FROM volume_modifications
      WHERE volume_id = '${volumeId}' AND state IN ('modifying', 'optimizing')`
    return this.#rows(query).length === 0
  }

  /** Gives the instance its root as it was launched, with a machine anew. */
  async replaceRoot(InstanceId: string): Promise<void> {
    delete this.#of(InstanceId).pid
    const { ReplaceRootVolumeTask: task } = await this.#answered(
      this.server.ec2.send(
        new CreateReplaceRootVolumeTaskCommand({ InstanceId, DeleteReplacedRootVolume: true }),
      ),
    )
    const id = task?.ReplaceRootVolumeTaskId ?? ''
    await this.until('the new root', async () => {
      const query = `SELECT state FROM replace_root_volume_tasks WHERE id = '${id}'`
      return (await this.#row<{ state?: string }>(query)).state === 'succeeded'
    })
  }

  async rootOf(instanceId: string): Promise<string> {
    const { id } = await this.#row<{ id: string }>(
      `SELECT volume_id AS id FROM volume_attachments
       WHERE instance_id = '${instanceId}' AND device = '/dev/xvda'`,
    )
    return id
  }

  /** Waits until nothing is owed any more, and what nobody needs is gone. */
  async settle(): Promise<void> {
    let last: unknown
    const isSettled = async () => {
      last = this.#rows(owed)
      return this.#rows(owed).length === 0
    }
    await this.until('all is settled', isSettled).catch((error: unknown) => {
      throw new Error(`not settled: ${JSON.stringify(last)}`, { cause: error })
    })
    await this.collect()
  }

  async collect(): Promise<void> {
    const path = '/imago/v1/garbage-collections'
    const { number } = await this.#answered(this.server.imago('POST', path))
    await this.until('the garbage collection', async () => {
      const done = await this.#answered(this.server.imago('GET', path))
      return Number(done['number'] ?? -1) >= Number(number)
    })
  }

  /** Holds all that was asked and answered against what there is. */
  async verify(): Promise<void> {
    const { server } = this
    for (const [token, { ids }] of this.tokens) {
      const again = await this.runAgain(token).catch((error: unknown) => {
        // The image may be gone since; then the call had never been made.
        if (ids === undefined && error instanceof EC2ServiceException) return undefined
        throw error
      })
      if (ids) assert.deepEqual(again, ids, `${token} was run twice`)
      else if (again) {
        for (const id of again) this.#made(id, 'running')
        const { imageId, count } = this.tokens.get(token) ?? { imageId: '', count: 0 }
        this.tokens.set(token, { imageId, count, ids: again })
      }
    }
    await this.settle()
    const states = await this.states()
    const machines = await server.machines()
    for (const [id, known] of this.known) {
      const state = states.get(id) ?? 'gone'
      assert(known.allowed.has(state), `${id} is ${state} and not ${[...known.allowed].join()}`)
      known.allowed = new Set([state])
      // A disk outlives the instance that it is attached to.
      if (state === 'in-use') known.allowed.add('available')
      if (state !== 'running') delete known.pid
      else if (known.pid === undefined) known.pid = machines.get(id)
      else assert.equal(machines.get(id), known.pid, `the machine of ${id} did not run on`)
    }
    await this.#checkFindings()
    await this.#checkBases()
    await this.#checkImages()
  }

  /** Every resource that is shown, with its state. */
  async states(): Promise<Map<string, string>> {
    const { ec2 } = this.server
    const own = { OwnerIds: ['self'] }
    const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}))
    const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Owners: ['self'] }))
    const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand(own))
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({}))
    const instances = Reservations.flatMap((reservation) => reservation.Instances ?? [])
    return new Map<string, string>([
      ...instances.map((one) => [one.InstanceId ?? '', one.State?.Name ?? ''] as const),
      ...Images.map((one) => [one.ImageId ?? '', one.State ?? ''] as const),
      ...Snapshots.map((one) => [one.SnapshotId ?? '', one.State ?? ''] as const),
      ...Volumes.map((one) => [one.VolumeId ?? '', one.State ?? ''] as const),
    ])
  }

  /** The ids of a kind that may be there. */
  ids(prefix: 'i' | 'ami' | 'snap' | 'vol'): readonly string[] {
    return [...this.known.keys()].filter((id) => id.startsWith(`${prefix}-`))
  }

  /** Removes all but the image that all begins with. */
  async clear(): Promise<void> {
    const { ec2 } = this.server
    const states = await this.states()
    const of = (prefix: string) =>
      [...states.keys()].filter((id) => id.startsWith(`${prefix}-`) && id !== this.imageId)
    const InstanceIds = of('i')
    if (InstanceIds.length > 0) await ec2.send(new TerminateInstancesCommand({ InstanceIds }))
    for (const ImageId of of('ami')) await ec2.send(new DeregisterImageCommand({ ImageId }))
    for (const SnapshotId of of('snap')) {
      if (SnapshotId === this.snapshotId) continue
      await ec2.send(new DeleteSnapshotCommand({ SnapshotId }))
    }
    await this.settle()
    for (const [VolumeId] of await this.states()) {
      if (VolumeId.startsWith('vol-')) await ec2.send(new DeleteVolumeCommand({ VolumeId }))
    }
    this.known.clear()
    this.tokens.clear()
    this.bakes.clear()
    await this.settle()
  }

  async #checkFindings(): Promise<void> {
    // Layers may be merged at this moment, a network be taken down: that passes.
    let findings = await this.server.check()
    for (let tries = 0; tries < 30 && findings.length > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      findings = await this.server.check()
    }
    assert.deepEqual(findings, [])
  }

  async #checkBases(): Promise<void> {
    const { dataFolder } = this.server
    const wanted = this.#rows<{ manifest: string; keyId: string | null }>(
      `SELECT base_manifest AS manifest, kms_key_id AS keyId
         FROM volumes WHERE base_manifest IS NOT NULL
       UNION SELECT s.manifest, s.kms_key_id FROM snapshots s JOIN image_snapshots m ON m.snapshot_id = s.id
         JOIN images i ON i.id = m.image_id
         WHERE i.state = 'available' AND i.last_launched_at_ms IS NOT NULL`,
    ).map(({ manifest, keyId }) =>
      baseName({ manifest: parseDigest(manifest), keyId: keyId ?? undefined }),
    )
    const there = await readdir(join(dataFolder, 'bases')).catch(() => [])
    assert.deepEqual(
      there.filter((name) => !wanted.includes(name.replace(/\.tmp$/, ''))),
      [],
      'bases that nobody needs',
    )
  }

  /** An image has what its disk had at one moment, and a later one not less. */
  async #checkImages(): Promise<void> {
    const blockStore = await this.server.openBlocks()
    try {
      for (const images of this.bakes.values()) {
        let before = 0
        for (const imageId of images) {
          const { digest, keyArn } = await this.#row<{ digest?: string; keyArn?: string | null }>(
            `SELECT s.manifest AS digest, s.kms_key_id AS keyArn FROM images i
               JOIN image_snapshots m ON m.image_id = i.id
               JOIN snapshots s ON s.id = m.snapshot_id
             WHERE i.id = '${imageId}' AND i.state = 'available'
               AND json_extract(i.block_devices, '$[0].ebs.snapshotId') = s.id`,
          )
          if (digest === undefined) continue
          const cipher = keyArn ? await this.server.openCipher(keyArn) : undefined
          const manifest = await blockStore.readManifest(parseDigest(digest), cipher)
          const blocks = new Map(blocksOf(manifest))
          const [first, second] = await countsOf(async (offset, length) => {
            const block = blocks.get(Math.floor(offset / blockSizeBytes))
            const start = offset % blockSizeBytes
            const bytes = block
              ? await blockStore.readBlock(block, cipher)
              : Buffer.alloc(blockSizeBytes)
            return bytes.subarray(start, start + length)
          })
          const isOneMoment = first === second || first === second + 1
          assert(isOneMoment, `${imageId} is of two moments: ${first} and ${second}`)
          assert(first >= before, `${imageId} is older than the one before it`)
          if (!this.isConcurrent) before = first
        }
      }
    } finally {
      await blockStore.close()
    }
  }

  /** Tells a call that nobody answered from one that was refused. */
  async #answered<T>(promise: Promise<T>): Promise<T> {
    try {
      return await promise
    } catch (error) {
      if (error instanceof EC2ServiceException) {
        assert(error.$metadata.httpStatusCode !== 500, 'an internal error')
        throw error
      }
      if (error instanceof CommandFailed && !error.message.startsWith('Cannot reach')) throw error
      throw new ServerGone('no answer', { cause: error })
    }
  }

  /** What others have asked of it before its maker had the answer stays. */
  #made(id: string, state: string): void {
    this.#of(id).allowed.add(state)
  }

  #of(id: string): Known {
    const known = this.known.get(id) ?? { allowed: new Set<string>() }
    this.known.set(id, known)
    return known
  }

  #rows<Row>(query: string): readonly Row[] {
    const db = new DatabaseSync(join(this.server.dataFolder, 'imago.db'), { readOnly: true })
    try {
      return db.prepare(query).all() as Row[]
    } finally {
      db.close()
    }
  }

  async #row<Row>(query: string): Promise<Row> {
    return this.#rows<Row>(query)[0] ?? ({} as Row)
  }
}

function tableOf(id: string): string {
  const tables = { i: 'instances', ami: 'images', snap: 'snapshots', vol: 'volumes' }
  const prefix = id.slice(0, id.indexOf('-'))
  const table = new Map(Object.entries(tables)).get(prefix)
  assert(table, id)
  return table
}
