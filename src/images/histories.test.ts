/**
 * Random histories of calls by several accounts in two Regions, beside a model that
 * knows nothing but the rules of sharing: no image is seen, launched or copied by one
 * who may not, and no id comes twice. A failure prints its seed and the shortest history.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type {
  CopyImageResult,
  DeregisterImageResult,
  DescribeImagesRequest,
  DescribeImagesResult,
  RegisterImageResult,
} from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { lastFirst } from '../../test/last-first.ts'
import { runsOf } from '../../test/random.ts'
import { snapshotRow } from '../../test/rows.ts'
import { emptyReaders } from '../../test/empty-readers.ts'
import { transaction } from '../db/database.ts'
import { callerIn } from '../iam/testing.ts'
import { runInstances } from '../instances/operations/run-instances.ts'
import { ApiError } from '../lib/errors.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import { ensureDefaultNetwork } from '../network/defaults.ts'
import { snapshotCopyReconciler } from '../snapshot-copies/reconcile.ts'
import { modifySnapshotAttribute } from '../snapshots/operations/modify-snapshot-attribute.ts'
import { insertSnapshot } from '../snapshots/store.ts'
import { createTags } from '../tags/operations/create-tags.ts'
import type { Operation } from '../wire/operation.ts'
import { copyImage } from './operations/copy-image.ts'
import { deregisterImage } from './operations/deregister-image.ts'
import { describeImages } from './operations/describe-images.ts'
import { modifyImageAttribute } from './operations/modify-image-attribute.ts'
import { registerImage } from './operations/register-image.ts'
import { resetImageAttribute } from './operations/reset-image-attribute.ts'
import { publicImagesMax } from './quota.ts'
import { imageReconciler } from './reconcile.ts'
import { changeImageSettings } from './settings-store.ts'

const accounts = ['111111111111', '222222222222', '333333333333'] as const
const regions = ['us-east-1', 'us-west-2'] as const

/** Numbers in a step choose among the images at its time: often the newest ones. */
const number = fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, fc.nat(1000))
const who = fc.constantFrom(...accounts)
const where = fc.constantFrom(...regions)
const grantee = fc.constantFrom(...accounts, 'all')
const isAdded = fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false))
const stepOf = fc.oneof(
  { weight: 1, arbitrary: fc.record({ do: fc.constant('register'), who, where, number }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('share'), who, number, grantee, isAdded }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('share disk'), who, number, grantee, isAdded }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('copy'), who, where, number }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('launch'), who, number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset'), who, number }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('deregister'), who, number, isAdded }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tag'), who, number }) },
)
/** There is something to share from the first step on. */
const beginning: readonly Step[] = accounts.map((account, at) => ({
  do: 'register',
  who: account,
  where: at === 1 ? regions[1] : regions[0],
  number: 0,
}))

type Step = Readonly<{
  do: string
  who: string
  where?: string
  number: number
  grantee?: string
  isAdded?: boolean
}>

/** What the rules are about, and no more. */
interface Shared {
  readonly owner: string
  readonly region: string
  readonly grantees: Set<string>
  isGone: boolean
}
interface ModelImage extends Shared {
  readonly id: string
  readonly snapshotId: string
}

const maySee = (one: Shared, account: string): boolean =>
  !one.isGone && (one.owner === account || one.grantees.has(account) || one.grantees.has('all'))

async function startWorld(context: Pick<TestContext, 'after'>) {
  const db = await databases.sqlite(context)
  let ms = 1_800_000_000_000
  const ids = new Set<string>()
  const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
  await transaction(db.writes, async (tx) => {
    for (const accountId of accounts) {
      for (const region of regions) {
        await ensureDefaultNetwork(tx, { accountId, region, newId, now: new Date(ms) })
        await changeImageSettings(tx, { accountId, region }, { publicAccess: 'unblocked' })
      }
    }
  })
  const readers = emptyReaders
  const call = async (operation: Operation, accountId: string, region: string, input: object) => {
    const caller = callerIn(accountId)
    const now = new Date((ms += 1000))
    const shared = { input, caller, region, regions, requestId: '', now, readers }
    if (operation.kind === 'read') return await operation.run({ ...shared, db: db.reads })
    return await transaction(db.writes, (tx) =>
      operation.run({ ...shared, tx, newId, randomBytes }),
    )
  }
  const now = () => new Date(ms)
  const reconcilers = [
    snapshotCopyReconciler({
      db,
      now,
      blockStore: { hasManifest: () => true, beginUpload: () => assert.fail('nothing is new') },
      openDiskKey: async () => assert.fail('nothing is encrypted'),
    }),
    imageReconciler({ db, now }),
  ]
  const images: ModelImage[] = []
  const disks = new Map<string, Shared>()
  return {
    call,
    images,
    disks,
    async settle() {
      for (const reconciler of reconcilers) {
        for (const id of await reconciler.due()) await reconciler.step(id as never)
      }
    },
    async putDisk(owner: string, region: string): Promise<string> {
      const snapshot = snapshotRow({ accountId: owner, region }, { id: newId('snapshot') })
      await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
      disks.set(snapshot.id, { owner, region, grantees: new Set(), isGone: false })
      return snapshot.id
    },
    addImage(image: Omit<ModelImage, 'grantees' | 'isGone'>) {
      assert(!ids.has(image.id), `${image.id} came twice`)
      ids.add(image.id)
      images.push({ ...image, grantees: new Set(), isGone: false })
    },
    async list(account: string, region: string, input: DescribeImagesRequest = {}) {
      return (await call(describeImages, account, region, input)) as DescribeImagesResult
    },
  }
}

type World = Awaited<ReturnType<typeof startWorld>>

/** Whether the call was taken. A refusal has to be one: whatever else is thrown is a bug. */
async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return false
  }
}

let names = 0

async function run(world: World, step: Step): Promise<void> {
  const { images, disks, call } = world
  const { who: account, where: region = regions[0], grantee: given = 'all' } = step
  const image = images.length > 0 ? images.at(-1 - (step.number % images.length)) : undefined
  const Name = `image ${names++ % 7} ${names}`
  const OperationType = step.isAdded ? 'add' : 'remove'
  const grant = given === 'all' ? { UserGroups: ['all'] } : { UserIds: [given] }
  if (step.do === 'register') {
    const snapshotId = await world.putDisk(account, region)
    const made = (await call(registerImage, account, region, {
      Name,
      Description: `of ${account}`,
      RootDeviceName: '/dev/xvda',
      Architecture: step.number % 2 === 0 ? 'x86_64' : 'arm64',
      VirtualizationType: 'hvm',
      EnaSupport: true,
      BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshotId } }],
    })) as RegisterImageResult
    world.addImage({ id: made.ImageId ?? '', owner: account, region, snapshotId })
    return
  }
  if (!image) return
  const { id: ImageId, region: at } = image
  const disk = disks.get(image.snapshotId)
  const isOwn = image.owner === account && !image.isGone
  switch (step.do) {
    case 'share': {
      const isDone = await attempt(() =>
        call(modifyImageAttribute, account, at, {
          ImageId,
          Attribute: 'launchPermission',
          OperationType,
          ...grant,
        }),
      )
      const isPublishing = step.isAdded && given === 'all' && !image.grantees.has('all')
      const publicCount = images.filter(
        (one) =>
          one.owner === account && one.region === at && !one.isGone && one.grantees.has('all'),
      ).length
      assert.equal(isDone, isOwn && (!isPublishing || publicCount < publicImagesMax))
      if (isDone) image.grantees[step.isAdded ? 'add' : 'delete'](given)
      return
    }
    case 'share disk': {
      const isDone = await attempt(() =>
        call(modifySnapshotAttribute, account, at, {
          SnapshotId: image.snapshotId,
          Attribute: 'createVolumePermission',
          OperationType,
          ...(given === 'all' ? { GroupNames: ['all'] } : { UserIds: [given] }),
        }),
      )
      assert.equal(isDone, disk?.owner === account && !disk.isGone)
      if (isDone) disk?.grantees[step.isAdded ? 'add' : 'delete'](given)
      return
    }
    case 'copy': {
      let made: CopyImageResult = {}
      const isDone = await attempt(async () => {
        const input = { SourceRegion: at, SourceImageId: ImageId, Name, CopyImageTags: true }
        made = (await call(copyImage, account, region, input)) as CopyImageResult
      })
      assert.equal(isDone, maySee(image, account) && disk !== undefined && maySee(disk, account))
      if (!isDone) return
      await world.settle()
      const { ImageId: id = '' } = made
      const [copied] = (await world.list(account, region, { ImageIds: [id] })).Images ?? []
      assert.equal(copied?.State, 'available')
      const snapshotId = copied.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? ''
      assert(!disks.has(snapshotId), `${snapshotId} came twice`)
      disks.set(snapshotId, { owner: account, region, grantees: new Set(), isGone: false })
      world.addImage({ id, owner: account, region, snapshotId })
      return
    }
    case 'launch': {
      const [seen] =
        (await world.list(image.owner, at, {})).Images?.filter((one) => one.ImageId === ImageId) ??
        []
      const input = { ImageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' }
      const isDone = await attempt(() => call(runInstances, account, at, input))
      assert.equal(isDone, maySee(image, account) && seen?.Architecture === 'x86_64')
      return
    }
    case 'reset': {
      const input = { ImageId, Attribute: 'launchPermission' }
      const isDone = await attempt(() => call(resetImageAttribute, account, at, input))
      assert.equal(isDone, isOwn)
      if (isDone) image.grantees.clear()
      return
    }
    case 'deregister': {
      let result: DeregisterImageResult = {}
      const isDone = await attempt(async () => {
        const input = { ImageId, DeleteAssociatedSnapshots: step.isAdded }
        result = (await call(deregisterImage, account, at, input)) as DeregisterImageResult
      })
      assert.equal(isDone, isOwn)
      if (!isDone) return
      image.isGone = true
      assert.equal(result.DeleteSnapshotResults?.length ?? 0, step.isAdded ? 1 : 0)
      if (step.isAdded && disk) disk.isGone = true
      return
    }
    case 'tag': {
      const Tags = [{ Key: `of ${account}`, Value: String(step.number % 3) }]
      const isDone = await attempt(() =>
        call(createTags, account, at, { Resources: [ImageId], Tags }),
      )
      assert.equal(isDone, maySee(image, account))
      return
    }
    default:
      assert.fail(step.do)
  }
}

/** Each sees what it may and nothing else, by lists and by id. */
async function checkVisibility(world: World): Promise<void> {
  for (const account of accounts) {
    for (const region of regions) {
      const { Images = [] } = await world.list(account, region)
      const expected = world.images.filter((one) => one.region === region && maySee(one, account))
      assert.deepEqual(
        Images.map(({ ImageId }) => ImageId),
        expected.map(({ id }) => id).sort(),
      )
      for (const { Tags = [] } of Images) {
        assert(Tags.every(({ Key }) => Key === `of ${account}`))
      }
    }
  }
  for (const image of world.images) {
    for (const account of accounts) {
      const isSeen = await attempt(() =>
        world.list(account, image.region, { ImageIds: [image.id] }),
      )
      assert.equal(isSeen, maySee(image, account))
    }
  }
}

test('whatever is called by whom, nobody gets at an image that is not for them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { minLength: 10, maxLength: 40, size: 'max' }),
      async (steps) => {
        const opened = lastFirst()
        const world = await startWorld(opened)
        try {
          for (const step of [...beginning, ...steps]) await run(world, step)
          await checkVisibility(world)
        } finally {
          await opened.end()
        }
      },
    ),
    { numRuns: runsOf(40) },
  )
})
