import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import { databases, type Start } from '../../test/databases.ts'
import { transaction } from '../db/database.ts'
import { insertAccount } from '../iam/store.ts'
import { callerIn } from '../iam/testing.ts'
import { addLaunchPermissions } from '../images/permission-store.ts'
import { changeImageState, insertImage } from '../images/store.ts'
import { anImage } from '../images/testing.ts'
import { type Cause, instanceInitiated, userInitiated } from '../instances/cause.ts'
import { launch } from '../instances/launch.ts'
import { changeInstanceState, listInstances } from '../instances/store.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import { sealerOf } from '../lib/seal.ts'
import { putClosed } from '../organizations/testing.ts'
import { ensureDefaultNetwork } from '../network/defaults.ts'
import { putLock } from '../snapshots/lock-store.ts'
import { removeSnapshot } from '../snapshots/remove.ts'
import { completeSnapshot, findSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { aSnapshot } from '../snapshots/testing.ts'
import { listTags } from '../tags/store.ts'
import { setEncryptsByDefault } from '../volumes/encryption-settings-store.ts'
import { listAttachments, listVolumes } from '../volumes/store.ts'
import type { FastLaunch } from './fast-launch.ts'
import { fastLaunchReconciler } from './reconcile.ts'
import { changeFastLaunch, findFastLaunch, insertFastLaunch, listReserves } from './store.ts'
import { preparingMinutesMax } from './unknowns.ts'

const region = 'us-east-1'
const [owner, other] = ['111111111111', '222222222222'] as const
const manifest = `sha256:${'a'.repeat(64)}` as const
const source = aSnapshot(1, { accountId: owner, description: 'of Windows', manifest })
const image = anImage(1, { accountId: owner, platform: 'windows' })
const key = { imageId: image.id, accountId: owner }
const formatNew = <K extends Kind>(kind: K) => formatId(kind, randomBytes(9))

/** An image of Windows that is shared, and machines that do what the test says. */
async function start(context: TestContext, open: Start, memoryMiB = 1_000_000) {
  const db = await open(context)
  let now = new Date('2026-11-23T10:00:00Z')
  const readers = {
    masterKey: sealerOf(randomBytes(32), randomBytes),
    randomBytes,
    tpmProblem: () => undefined,
    host: () => ({ vcpus: 100, memoryMiB, architecture: 'x86_64' }),
  }
  await transaction(db.writes, async (tx) => {
    for (const id of [owner, other]) {
      await insertAccount(tx, { id, name: id, alias: undefined }, now)
      await ensureDefaultNetwork(tx, { accountId: id, region, newId: formatNew, now })
    }
    await insertSnapshot(tx, source)
    await insertImage(tx, image)
    await addLaunchPermissions(tx, image.id, [{ kind: 'user', grantee: other }])
  })
  const log = { info() {}, warn() {}, error: (message: string) => assert.fail(message) }
  const given = { db, newId: formatNew, randomBytes, readers, now: () => now, log }
  const reconciler = fastLaunchReconciler(given)
  const found = async () => await findFastLaunch(db.reads, key)
  const machines = async (accountId: string = owner) => {
    const all = await listInstances(db.reads, { accountId, region })
    return all.filter(({ state }) => state !== 'shutting-down')
  }
  const settle = async () => {
    for (let steps = 0; steps < 50; steps++) {
      const due = await reconciler.due()
      const outcomes = []
      for (const each of due) outcomes.push(await reconciler.step(each))
      if (!outcomes.includes('moved')) return
    }
    assert.fail('it does not settle')
  }
  const stop = (id: Id<'instance'>, cause: Cause = instanceInitiated) =>
    transaction(db.writes, (tx) =>
      changeInstanceState(tx, { id, from: 'pending', to: 'stopped', at: now, cause }),
    )
  /** Snapshots that are being taken are there. */
  const capture = async () => {
    await settle()
    const taken: Id<'snapshot'>[] = []
    for (const { state, snapshotId } of await listReserves(db.reads, key)) {
      if (state !== 'capturing' || !snapshotId) continue
      await transaction(db.writes, (tx) =>
        completeSnapshot(tx, {
          id: snapshotId,
          manifest: `sha256:${'b'.repeat(64)}`,
          completedAt: now,
          parentSnapshotId: undefined,
          fullSizeBytes: 1,
          addedBytes: 1,
        }),
      )
      taken.push(snapshotId)
    }
    await settle()
    return taken
  }
  return {
    db,
    found,
    machines,
    settle,
    stop,
    capture,
    due: () => reconciler.due(),
    step: (accountId: string) => reconciler.step(`${image.id}/${accountId}`),
    later: (minutes: number) => void (now = new Date(now.getTime() + minutes * 60_000)),
    async enable(targetCount: number, accountId: string = owner) {
      const made: FastLaunch = {
        imageId: image.id,
        accountId,
        region,
        state: 'enabling',
        stateSince: now,
        reason: 'Client.UserInitiated',
        targetCount,
        parallelMax: 6,
        isForced: false,
      }
      await transaction(db.writes, (tx) => insertFastLaunch(tx, made))
      await settle()
    },
    /** Fills the reserve, and gives its snapshots. */
    async fill() {
      for (const { id, state } of await machines()) if (state === 'pending') await stop(id)
      return await capture()
    },
    async disable(isForced = false) {
      const seen = await found()
      assert(seen)
      const to = { state: 'disabling', stateSince: now, reason: 'Client.UserInitiated' } as const
      await transaction(db.writes, (tx) => changeFastLaunch(tx, seen, { ...to, isForced }))
      await settle()
    },
    /** The snapshots that the roots of new instances are made of. */
    async run(accountId: string = owner, MaxCount = 1, VolumeSize = 2) {
      const caller = callerIn(accountId)
      const made = await transaction(db.writes, (tx) =>
        launch(
          { tx, now, newId: formatNew, caller, region, readers },
          {
            ImageId: image.id,
            InstanceType: 't3.nano',
            MinCount: MaxCount,
            MaxCount,
            BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { VolumeSize } }],
          },
        ),
      )
      const roots = []
      for (const { id } of made) {
        const [root] = await listAttachments(db.reads, { instanceIds: [id] })
        assert(root)
        const ids = [root.volumeId]
        const [volume] = await listVolumes(db.reads, { accountId, region, ids })
        roots.push(volume?.snapshotId)
        assert.equal(volume?.state, 'creating')
        await transaction(db.writes, (tx) =>
          changeInstanceState(tx, { id, from: 'pending', to: 'shutting-down', at: now }),
        )
      }
      return roots
    },
  }
}

for (const [name, open] of Object.entries(databases)) {
  describe(`fast launch on ${name}`, () => {
    test('as many snapshots are in reserve as were asked for, and launches use them up', async (context) => {
      const world = await start(context, open)
      const { db } = world
      await world.enable(2)
      const ahead = await world.machines()
      assert.deepEqual(
        ahead.map(({ state, shutdownBehavior, metadataOptions }) => [
          state,
          shutdownBehavior,
          metadataOptions.instanceMetadataTags,
        ]),
        Array(2).fill(['pending', 'stop', 'enabled']),
      )
      const [told] = ahead.map(({ userData = '' }) => Buffer.from(userData, 'base64').toString())
      assert.match(
        told ?? '',
        /^<powershell>\n\$agent = "[^"]+\\EC2Launch\.exe"[^]+\nStop-Computer/,
      )
      const tagged = { accountId: owner, region, resourceIds: ahead.map(({ id }) => id) }
      const mark = [{ key: 'CreatedBy', value: 'EC2 Fast Launch' }]
      assert.deepEqual([...(await listTags(db.reads, tagged)).values()], [mark, mark])
      assert.deepEqual(await world.due(), [])
      assert.equal((await world.found())?.state, 'enabling')
      const snapshots = await world.fill()
      assert.equal(snapshots.length, 2)
      const held = { accountId: owner, region, resourceIds: snapshots }
      assert.deepEqual([...(await listTags(db.reads, held)).values()], [mark, mark])
      assert.equal((await world.found())?.state, 'enabled')
      assert.deepEqual(await world.machines(), [])

      // A root that is too small for them is made of the image's own; three are more than there are.
      assert.deepEqual(await world.run(owner, 1, 1), [source.id])
      const roots = await world.run(owner, 3)
      assert.deepEqual(new Set(roots), new Set([...snapshots, source.id]))
      for (const id of snapshots) assert.equal(await findSnapshot(db.reads, id), undefined)
      await world.settle()
      assert.equal((await world.machines()).length, 2)
      assert.equal((await world.found())?.state, 'enabled')
      const more = await world.fill()
      // Who the image is shared with has the owner's.
      assert.deepEqual(await world.run(other), more.slice(0, 1))

      await world.disable()
      assert.equal(await world.found(), undefined)
      for (const id of more) assert.equal(await findSnapshot(db.reads, id), undefined)
      assert.deepEqual(await world.machines(), [])
      assert.deepEqual(await world.run(), [source.id])
    })

    test('what does not set itself up fails, and nothing is tried again by itself', async (context) => {
      const world = await start(context, open)
      await world.enable(1)
      world.later(preparingMinutesMax - 1)
      assert.deepEqual(await world.due(), [])
      world.later(1)
      await world.settle()
      const failed = await world.found()
      assert.equal(failed?.state, 'enabling-failed')
      assert.match(failed.reason, /did not shut itself down within 60 minutes/)
      assert.deepEqual(await world.machines(), [])
      assert.deepEqual(await listReserves(world.db.reads, key), [])
      await world.disable()
      assert.equal(await world.found(), undefined)

      await world.enable(1)
      const [machine] = await world.machines()
      assert(machine)
      await world.stop(machine.id, userInitiated(new Date()))
      await world.settle()
      assert.match((await world.found())?.reason ?? '', /was stopped before it was set up/)
    })

    test('what is enabled and fails keeps what it has', async (context) => {
      const world = await start(context, open)
      const { db } = world
      await world.enable(2)
      const [first, second] = await world.fill()
      assert(first && second)
      // Somebody deletes one: it is replaced.
      await transaction(db.writes, (tx) => removeSnapshot(tx, first, new Date()))
      await world.settle()
      const [machine] = await world.machines()
      assert(machine)
      await world.stop(machine.id)
      await world.settle()
      const capturing = (await listReserves(db.reads, key)).find(
        ({ state }) => state === 'capturing',
      )
      const lost = capturing?.snapshotId
      assert(lost)
      await transaction(db.writes, (tx) => removeSnapshot(tx, lost, new Date()))
      await world.settle()
      assert.equal((await world.found())?.state, 'enabled-failed')
      assert.deepEqual(await world.machines(), [])
      assert.deepEqual(await world.run(), [second])
    })

    test('a snapshot that cannot be deleted keeps it from being disabled, unless by force', async (context) => {
      const world = await start(context, open)
      const { db } = world
      await world.enable(1)
      const [held] = await world.fill()
      assert(held)
      const at = new Date('2026-11-23T10:00:00Z')
      const mode = { mode: 'governance', coolOffHours: undefined, holds: { days: 1 } } as const
      const lock = { snapshotId: held, ...mode, createdAt: at, changedAt: at }
      await transaction(db.writes, (tx) => putLock(tx, lock))
      await world.disable()
      const failed = await world.found()
      assert.equal(failed?.state, 'disabling-failed')
      assert.match(failed.reason, new RegExp(held))
      assert.deepEqual(await world.due(), [])
      await world.disable(true)
      assert.equal(await world.found(), undefined)
      assert.equal((await findSnapshot(db.reads, held))?.state, 'completed')
    })

    test('the reserve of an image that cannot be launched any more goes', async (context) => {
      const world = await start(context, open)
      const { db } = world
      await world.enable(2)
      const [machine] = await world.machines()
      assert(machine)
      await world.stop(machine.id)
      const [held] = await world.capture()
      assert(held)
      const change = { id: image.id, from: ['available'], to: 'disabled', at: new Date() } as const
      await transaction(db.writes, (tx) => changeImageState(tx, change))
      await world.settle()
      assert.equal(await world.found(), undefined)
      assert.equal(await findSnapshot(db.reads, held), undefined)
      assert.deepEqual(await world.machines(), [])
    })

    test('nothing is launched ahead in an account that is closed, and what it has stays', async (context) => {
      const world = await start(context, open)
      const { db } = world
      await world.enable(2, other)
      const [machine] = await world.machines(other)
      assert(machine)
      await transaction(db.writes, (tx) => putClosed(tx, other))
      await world.stop(machine.id)
      const reserves = () => listReserves(db.reads, { imageId: image.id, accountId: other })
      const before = await reserves()
      assert.deepEqual(await world.due(), [])
      await world.step(other)
      assert.deepEqual(await reserves(), before)
      assert.equal((await world.machines(other)).length, 2)
      // Another account goes on.
      await world.enable(1)
      assert.equal((await world.machines()).length, 1)
    })

    test('it waits for room on the host', async (context) => {
      const world = await start(context, open, 4096)
      await world.enable(2)
      assert.equal((await world.machines()).length, 1)
      assert.equal((await world.found())?.state, 'enabling')
      await world.fill()
      assert.equal((await world.machines()).length, 1)
      await world.fill()
      assert.equal((await world.found())?.state, 'enabled')
    })

    test('where it can never have room it fails', async (context) => {
      const world = await start(context, open, 1024)
      await world.enable(1)
      const failed = await world.found()
      assert.equal(failed?.state, 'enabling-failed')
      assert.match(failed.reason, /has no room .* t3\.medium/)
    })

    test('a reserve under a key that the launch would not have is left alone', async (context) => {
      const world = await start(context, open)
      const { db } = world
      const encrypts = (isOn: boolean) =>
        transaction(db.writes, (tx) => setEncryptsByDefault(tx, { accountId: owner, region }, isOn))
      await encrypts(true)
      await world.enable(1)
      const [held] = await world.fill()
      assert(held)
      assert.notEqual((await findSnapshot(db.reads, held))?.kmsKeyArn, undefined)
      assert.deepEqual(await world.run(other), [source.id])
      await encrypts(false)
      assert.deepEqual(await world.run(), [source.id])
      await encrypts(true)
      assert.deepEqual(await world.run(), [held])
    })
  })
}
