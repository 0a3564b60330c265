/**
 * Random lives of images, by calls of three accounts, beside a model of what the
 * contract says: sharing, organizations, block public access, Allowed AMIs,
 * deprecation, disabling, protection, the Recycle Bin and its end. After each step
 * everybody sees and may use what the model says, and nothing of what is gone lingers.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type {
  DeregisterImageResult,
  DescribeImagesRequest,
  DescribeImagesResult,
  RegisterImageResult,
} from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { databases } from '../../test/databases.ts'
import { snapshotRow } from '../../test/rows.ts'
import { blocksOf } from '../block-store/manifest.ts'
import { SimDisk } from '../block-store/sim-disk.ts'
import { clock, openStore, readAll, saveNumbers } from '../block-store/testing.ts'
import { transaction } from '../db/database.ts'
import type { Digest } from '../lib/digest.ts'
import { ApiError } from '../lib/errors.ts'
import { formatId, type Id, type Kind } from '../lib/ids.ts'
import { organizationArn } from '../organizations/organization.ts'
import { insertMember, insertOrganization } from '../organizations/store.ts'
import { deleteRule, insertRule, listRules } from '../recycle-bin/store.ts'
import { listLiveManifests } from '../snapshots/live-manifests.ts'
import { findSnapshot, insertSnapshot } from '../snapshots/store.ts'
import { createTags } from '../tags/operations/create-tags.ts'
import type { Operation } from '../wire/operation.ts'
import { visibleImage } from './find.ts'
import { deregisterImage } from './operations/deregister-image.ts'
import { describeImages } from './operations/describe-images.ts'
import { disableImage } from './operations/disable-image.ts'
import { disableImageDeregistrationProtection } from './operations/disable-image-deregistration-protection.ts'
import { enableImage } from './operations/enable-image.ts'
import { enableImageDeprecation } from './operations/enable-image-deprecation.ts'
import { enableImageDeregistrationProtection } from './operations/enable-image-deregistration-protection.ts'
import { modifyImageAttribute } from './operations/modify-image-attribute.ts'
import { registerImage } from './operations/register-image.ts'
import { restoreImageFromRecycleBin } from './operations/restore-image-from-recycle-bin.ts'
import { publicImagesMax } from './quota.ts'
import { imageReconciler } from './reconcile.ts'
import { changeImageSettings } from './settings-store.ts'

const accounts = ['111111111111', '222222222222', '333333333333'] as const
const region = 'us-east-1'
const hourMs = 60 * 60 * 1000
const retentionDays = 1
/** The first two are in it. */
const organization = { id: 'o-aaaaaaaaaa', managementAccountId: accounts[0] }

const kinds = (
  'register share share share disable enable protect unprotect deregister deregister ' +
  'restore wait rule allow block deprecate tag'
).split(' ')
const stepOf = fc.record({
  do: fc.constantFrom(...kinds),
  who: fc.constantFrom(...accounts),
  number: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, fc.nat(1000)),
  grantee: fc.constantFrom(...accounts, 'all', 'organization'),
  is: fc.boolean(),
})
type Step = typeof stepOf extends fc.Arbitrary<infer T> ? T : never

interface ModelImage {
  readonly id: Id<'image'>
  readonly owner: string
  readonly snapshotId: Id<'snapshot'>
  readonly manifest: Digest
  readonly grantees: Set<string>
  state: 'available' | 'disabled' | 'recycled' | 'gone'
  hasDisk: boolean
  deprecatesAtMs: number
  protection: 'none' | 'plain' | 'cooldown'
  protectedUntilMs: number
  exitAtMs: number
}

interface ModelAccount {
  allows: string | undefined
  isBlocked: boolean
  hasRule: boolean
}

async function startWorld(after: (end: unknown) => void) {
  const db = await databases.sqlite({ after })
  let ms = 1_800_000_000_000
  const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
  await transaction(db.writes, async (tx) => {
    const createdAt = new Date(ms)
    await insertOrganization(tx, {
      ...organization,
      rootId: 'r-aaaa',
      featureSet: 'ALL',
      createdAt,
    })
    for (const accountId of accounts.slice(0, 2)) {
      await insertMember(tx, {
        accountId,
        organizationId: organization.id,
        parentId: 'r-aaaa',
        name: accountId,
        email: 'a@example.com',
        joinedMethod: 'CREATED',
        joinedAt: createdAt,
      })
    }
    for (const accountId of accounts) {
      await changeImageSettings(tx, { accountId, region }, { publicAccess: 'unblocked' })
    }
  })
  const call = async <Output>(operation: Operation, accountId: string, input: object) => {
    const caller = { accountId, arn: '', userId: '', policies: [] }
    const shared = { input, caller, region, regions: [region], requestId: '', now: new Date(ms) }
    const readers = { platform: async () => undefined } as never
    if (operation.kind === 'read') {
      return (await operation.run({ ...shared, readers, db: db.reads })) as Output
    }
    return (await transaction(db.writes, (tx) =>
      operation.run({ ...shared, readers, tx, newId, randomBytes } as never),
    )) as Output
  }
  const now = clock()
  return {
    db,
    store: await openStore(new SimDisk(now), now),
    call,
    newId,
    now: () => new Date(ms),
    reconciler: imageReconciler({ db, now: () => new Date(ms) }),
    pass: (byMs: number) => void (ms += byMs),
    images: [] as ModelImage[],
    accounts: new Map<string, ModelAccount>(
      accounts.map((id) => [id, { allows: undefined, isBlocked: false, hasRule: false }]),
    ),
  }
}
type World = Awaited<ReturnType<typeof startWorld>>

async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return false
  }
}

function mayUse(world: World, image: ModelImage, account: string): boolean {
  if (image.state === 'gone' || image.state === 'recycled') return false
  if (image.owner === account) return true
  const isMember = accounts.slice(0, 2).some((id) => id === account)
  const isGiven =
    image.grantees.has(account) ||
    image.grantees.has('all') ||
    (image.grantees.has('organization') && isMember)
  const allows = world.accounts.get(account)?.allows
  return isGiven && (allows === undefined || allows === image.owner)
}

async function run(world: World, step: Step): Promise<void> {
  const { call, db, newId } = world
  world.pass(1000)
  const now = world.now()
  const own = world.accounts.get(step.who)
  assert(own)
  const owner = { accountId: step.who, region }
  switch (step.do) {
    case 'register': {
      // Disks have blocks in common, so that what one leaves may be needed by another.
      const manifest = await saveNumbers(world.store, [
        1 + (step.number % 5),
        1 + (step.number % 3),
      ])
      const snapshot = snapshotRow(owner, { id: newId('snapshot'), manifest })
      await transaction(db.writes, (tx) => insertSnapshot(tx, snapshot))
      const { ImageId } = await call<RegisterImageResult>(registerImage, step.who, {
        Name: `image ${world.images.length}`,
        RootDeviceName: '/dev/xvda',
        Architecture: 'x86_64',
        VirtualizationType: 'hvm',
        BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: snapshot.id } }],
      })
      world.images.push({
        id: ImageId as Id<'image'>,
        owner: step.who,
        snapshotId: snapshot.id,
        manifest,
        grantees: new Set(),
        state: 'available',
        hasDisk: true,
        deprecatesAtMs: Infinity,
        protection: 'none',
        protectedUntilMs: 0,
        exitAtMs: 0,
      })
      return
    }
    case 'wait':
      world.pass(13 * hourMs)
      for (const id of await world.reconciler.due()) await world.reconciler.step(id)
      for (const image of world.images) {
        if (image.state !== 'recycled' || image.exitAtMs > world.now().getTime()) continue
        image.state = 'gone'
        image.grantees.clear()
      }
      return
    case 'rule':
      await transaction(db.writes, async (tx) => {
        for (const rule of await listRules(tx, owner)) await deleteRule(tx, rule)
        if (!step.is) return
        await insertRule(tx, {
          ...owner,
          id: randomBytes(6).toString('hex'),
          resourceType: 'EC2_IMAGE',
          retentionDays,
          description: '',
          resourceTags: [],
          excludeResourceTags: [],
          createdAt: now,
          lock: undefined,
          revision: 0,
        })
      })
      own.hasRule = step.is
      return
    case 'allow': {
      own.allows = step.is ? accounts[step.number % accounts.length] : undefined
      const criteria = own.allows === undefined ? [] : [{ ImageProviders: [own.allows] }]
      const allowedState = step.is ? 'enabled' : 'disabled'
      await transaction(db.writes, (tx) =>
        changeImageSettings(tx, owner, { allowedState, criteria }),
      )
      return
    }
    case 'block':
      own.isBlocked = step.is
      await transaction(db.writes, (tx) =>
        changeImageSettings(tx, owner, {
          publicAccess: step.is ? 'block-new-sharing' : 'unblocked',
        }),
      )
      return
    default: {
      const image = world.images.at(-1 - (step.number % Math.max(1, world.images.length)))
      if (image) await change(world, step, image)
    }
  }
}

async function change(world: World, step: Step, image: ModelImage): Promise<void> {
  const { call } = world
  const nowMs = world.now().getTime()
  const ImageId = image.id
  const isOwn = image.owner === step.who && image.state !== 'gone' && image.state !== 'recycled'
  const isDone = async (operation: Operation, input: object, expected: boolean) => {
    const done = await attempt(() => call(operation, step.who, { ImageId, ...input }))
    assert.equal(done, expected, `${step.do} by ${step.who} of ${JSON.stringify(image)}`)
    return done
  }
  switch (step.do) {
    case 'share': {
      const item =
        step.grantee === 'all'
          ? { Group: 'all' }
          : step.grantee === 'organization'
            ? { OrganizationArn: organizationArn(organization) }
            : { UserId: step.grantee }
      const isBlocked = world.accounts.get(step.who)?.isBlocked === true
      const isPublishing = step.is && step.grantee === 'all' && !image.grantees.has('all')
      const publicCount = world.images.filter(
        (one) => one.owner === step.who && one.state !== 'gone' && one.grantees.has('all'),
      ).length
      const mayPublish = !isBlocked && publicCount < publicImagesMax
      const may = isOwn && image.state === 'available' && (!isPublishing || mayPublish)
      const LaunchPermission = step.is ? { Add: [item] } : { Remove: [item] }
      if (!(await isDone(modifyImageAttribute, { LaunchPermission }, may))) return
      image.grantees[step.is ? 'add' : 'delete'](step.grantee)
      // Two years are longer than any of these histories.
      if (isPublishing && image.deprecatesAtMs === Infinity) image.deprecatesAtMs = nowMs * 2
      return
    }
    case 'disable':
      if (!(await isDone(disableImage, {}, isOwn))) return
      image.state = 'disabled'
      image.grantees.clear()
      return
    case 'enable':
      if (await isDone(enableImage, {}, isOwn)) image.state = 'available'
      return
    case 'protect': {
      const to = step.is ? 'cooldown' : 'plain'
      if (!(await isDone(enableImageDeregistrationProtection, { WithCooldown: step.is }, isOwn)))
        return
      if (image.protection === 'cooldown' && !step.is) image.protectedUntilMs = nowMs + 24 * hourMs
      image.protection = to
      return
    }
    case 'unprotect':
      if (!(await isDone(disableImageDeregistrationProtection, {}, isOwn))) return
      if (image.protection === 'cooldown') image.protectedUntilMs = nowMs + 24 * hourMs
      image.protection = 'none'
      return
    case 'deregister': {
      const may = isOwn && image.protection === 'none' && image.protectedUntilMs <= nowMs
      let result: DeregisterImageResult = {}
      const done = await attempt(async () => {
        const input = { ImageId, DeleteAssociatedSnapshots: step.is }
        result = await call<DeregisterImageResult>(deregisterImage, step.who, input)
      })
      assert.equal(done, may)
      if (!done) return
      const isKept = world.accounts.get(step.who)?.hasRule === true
      image.state = isKept ? 'recycled' : 'gone'
      image.exitAtMs = nowMs + retentionDays * 24 * hourMs
      if (step.is && !isKept) image.hasDisk = false
      const codes = result.DeleteSnapshotResults?.map(({ ReturnCode }) => ReturnCode) ?? []
      assert.deepEqual(codes, step.is ? [isKept ? 'skipped' : 'success'] : [])
      return
    }
    case 'restore': {
      const may = image.owner === step.who && image.state === 'recycled'
      if (await isDone(restoreImageFromRecycleBin, {}, may)) image.state = 'available'
      return
    }
    case 'deprecate': {
      const DeprecateAt = new Date(nowMs + (1 + (step.number % 24)) * hourMs)
      if (!(await isDone(enableImageDeprecation, { DeprecateAt }, isOwn))) return
      image.deprecatesAtMs = Math.round(DeprecateAt.getTime() / 60_000) * 60_000
      return
    }
    case 'tag': {
      const tags = { Resources: [ImageId], Tags: [{ Key: 'a', Value: 'b' }] }
      await attempt(() => call(createTags, step.who, tags))
      return
    }
    default:
      assert.fail(step.do)
  }
}

async function check(world: World): Promise<void> {
  const { images, call, db } = world
  const now = world.now()
  const list = async (account: string, input: DescribeImagesRequest) =>
    (await call<DescribeImagesResult>(describeImages, account, input)).Images?.map(
      ({ ImageId }) => ImageId,
    )
  for (const account of accounts) {
    const usable = images.filter((image) => mayUse(world, image, account))
    const ids = (of: readonly ModelImage[]) => of.map(({ id }) => id).sort()
    const inForce = usable.filter(
      (image) => image.owner === account || image.deprecatesAtMs > now.getTime(),
    )
    const all = { IncludeDeprecated: true, IncludeDisabled: true }
    assert.deepEqual(await list(account, all), ids(usable))
    assert.deepEqual(
      await list(account, {}),
      ids(inForce.filter(({ state }) => state === 'available')),
    )
    assert.deepEqual(
      await list(account, { ...all, Owners: ['self'] }),
      ids(usable.filter(({ owner }) => owner === account)),
    )
    const Filters = [{ Name: 'is-public', Values: ['true'] }]
    assert.deepEqual(
      await list(account, { ...all, Filters }),
      ids(usable.filter(({ grantees }) => grantees.has('all'))),
    )
    for (const image of images) {
      const isSeen = usable.includes(image)
      const byId = { ...all, ImageIds: [image.id] }
      assert.equal(await attempt(() => list(account, byId)), isSeen, `${account} ${image.id}`)
      const query = { accountId: account, region, id: image.id, now }
      assert.equal(await attempt(() => visibleImage(db.reads, query)), isSeen)
    }
  }
  for (const { id, state, snapshotId, hasDisk } of images) {
    assert.equal((await findSnapshot(db.reads, snapshotId)) !== undefined, hasDisk)
    if (state !== 'gone') continue
    const left = await db.reads
      .selectFrom('image_permissions')
      .where('image_id', '=', id)
      .selectAll()
      .execute()
    const tags = await db.reads
      .selectFrom('tags')
      .where('resource_id', '=', id)
      .selectAll()
      .execute()
    assert.deepEqual([...left, ...tags], [], `of ${id} there is still something`)
  }
}

/** After a garbage collection the store has what the disks that are left need, and no more. */
async function checkBlocks({ db, store, images }: World): Promise<void> {
  await store.collectGarbage({ live: () => listLiveManifests(db.reads) })
  const manifests = new Set(images.filter(({ hasDisk }) => hasDisk).map(({ manifest }) => manifest))
  const blocks = new Set<Digest>()
  for (const manifest of manifests) {
    await readAll(store, manifest)
    for (const [, digest] of blocksOf(await store.readManifest(manifest))) blocks.add(digest)
  }
  const usage = store.usage()
  assert.deepEqual([usage.manifests, usage.blocks], [manifests.size, blocks.size])
}

test('in whatever order images are shared, disabled, binned and brought back, the rules hold', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepOf, { minLength: 8, maxLength: 30, size: 'max' }),
      async (steps) => {
        const ends: (() => unknown)[] = []
        const world = await startWorld((end) => void ends.push(end as () => unknown))
        try {
          const first = accounts.map(
            (who) => ({ do: 'register', who, number: 0, grantee: 'all', is: true }) as const,
          )
          for (const step of [...first, ...steps]) {
            await run(world, step)
            await check(world)
          }
          await checkBlocks(world)
        } finally {
          for (const end of ends) await end()
        }
      },
    ),
    { numRuns: 12 },
  )
})
