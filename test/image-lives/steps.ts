/**
 * One step in the life of images: a call of one of the accounts, which is taken or
 * refused as the model says, and what becomes of the model by it.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type {
  CopyImageResult,
  CreateImageResult,
  DeregisterImageResult,
  RegisterImageResult,
} from '@aws-sdk/client-ec2'
import fc from 'fast-check'
import { saveNumbers } from '../../src/block-store/testing.ts'
import { transaction } from '../../src/db/database.ts'
import { attachImageWatermark } from '../../src/images/operations/attach-image-watermark.ts'
import { cancelImageLaunchPermission } from '../../src/images/operations/cancel-image-launch-permission.ts'
import { copyImage } from '../../src/images/operations/copy-image.ts'
import { createImage } from '../../src/images/operations/create-image.ts'
import { deregisterImage } from '../../src/images/operations/deregister-image.ts'
import { detachImageWatermark } from '../../src/images/operations/detach-image-watermark.ts'
import { disableImage } from '../../src/images/operations/disable-image.ts'
import { disableImageDeprecation } from '../../src/images/operations/disable-image-deprecation.ts'
import { disableImageDeregistrationProtection } from '../../src/images/operations/disable-image-deregistration-protection.ts'
import { enableImage } from '../../src/images/operations/enable-image.ts'
import { enableImageDeprecation } from '../../src/images/operations/enable-image-deprecation.ts'
import { enableImageDeregistrationProtection } from '../../src/images/operations/enable-image-deregistration-protection.ts'
import { modifyImageAttribute } from '../../src/images/operations/modify-image-attribute.ts'
import { registerImage } from '../../src/images/operations/register-image.ts'
import { resetImageAttribute } from '../../src/images/operations/reset-image-attribute.ts'
import { restoreImageFromRecycleBin } from '../../src/images/operations/restore-image-from-recycle-bin.ts'
import { publicImagesMax } from '../../src/images/quota.ts'
import { changeImageSettings } from '../../src/images/settings-store.ts'
import { findImage } from '../../src/images/store.ts'
import { snapshotsOf } from '../../src/images/image.ts'
import type { Id } from '../../src/lib/ids.ts'
import { moveAccount } from '../../src/organizations/operations/move-account.ts'
import { organizationArn, unitArn } from '../../src/organizations/organization.ts'
import { deleteRule, insertRule, listRules } from '../../src/recycle-bin/store.ts'
import { deleteSnapshot } from '../../src/snapshots/operations/delete-snapshot.ts'
import { modifySnapshotAttribute } from '../../src/snapshots/operations/modify-snapshot-attribute.ts'
import { completeSnapshot, failSnapshot, insertSnapshot } from '../../src/snapshots/store.ts'
import { createTags } from '../../src/tags/operations/create-tags.ts'
import type { Operation } from '../../src/wire/operation.ts'
import { putInstance, snapshotRow } from '../rows.ts'
import {
  accounts,
  holdsDisk,
  hourMs,
  isNamed,
  isOwn,
  mayCopy,
  mayHave,
  mayLaunch,
  maySee,
  type ModelDisk,
  type ModelImage,
  organization,
  places,
  regions,
  type World,
} from './world.ts'

const retentionDays = 1

const weights = {
  register: 1,
  'register again': 1,
  share: 4,
  'share disk': 2,
  'give back': 1,
  reset: 1,
  move: 2,
  copy: 3,
  bake: 2,
  disable: 2,
  enable: 2,
  protect: 1,
  unprotect: 1,
  deregister: 4,
  'delete disk': 1,
  restore: 3,
  wait: 2,
  rule: 2,
  allow: 2,
  block: 1,
  deprecate: 1,
  undeprecate: 1,
  mark: 1,
  unmark: 1,
  tag: 2,
}
type Kind = keyof typeof weights

/** Numbers choose among the images at the time of the step: often the newest ones. */
export const stepOf = fc.record({
  do: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as Kind),
    })),
  ),
  who: fc.constantFrom(...accounts),
  where: fc.constantFrom(...regions),
  number: fc.oneof({ weight: 3, arbitrary: fc.nat(1) }, fc.nat(1000)),
  grantee: fc.constantFrom(...accounts, 'all', 'organization', ...places.slice(1)),
  /** Mostly it is the owner who does something to an image. */
  isOwner: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
  is: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, fc.constant(false)),
})
type Drawn = typeof stepOf extends fc.Arbitrary<infer T> ? T : never
export type Step = Omit<Drawn, 'who'> & { readonly who: string }

export async function run(world: World, step: Step): Promise<void> {
  world.pass(1000)
  const kind: string = step.do
  switch (kind) {
    case 'register':
      return await register(world, step)
    case 'wait':
      return await wait(world, step)
    case 'rule':
      return await changeRule(world, step)
    case 'allow':
      return await changeAllowed(world, step)
    case 'block': {
      const publicAccess = step.is ? 'block-new-sharing' : 'unblocked'
      await set(world, step, { publicAccess })
      world.settingsOf(step.who, step.where).isBlocked = step.is
      return
    }
    case 'move':
      return await move(world, step)
    default: {
      const { images } = world
      const image = images.at(-1 - (step.number % Math.max(1, images.length)))
      if (!image) return
      const isForOthers = ['copy', 'bake', 'register again', 'give back', 'tag'].includes(kind)
      const who = step.isOwner && !isForOthers ? image.owner : step.who
      await change(world, { ...step, who }, image)
    }
  }
}

type Settings = Parameters<typeof changeImageSettings>[2]

async function set({ db }: World, { who, where }: Step, change: Settings): Promise<void> {
  const owner = { accountId: who, region: where }
  await transaction(db.writes, (tx) => changeImageSettings(tx, owner, change))
}

const nameOf = ({ number }: Step): string => `image ${number % 9}`

async function register(world: World, step: Step): Promise<void> {
  const { who: owner, where: region, number } = step
  // Disks have blocks in common, so that what one leaves may be needed by another.
  const manifest = await saveNumbers(world.store, [1 + (number % 5), 1 + (number % 3)])
  const row = snapshotRow({ accountId: owner, region }, { id: world.newId('snapshot'), manifest })
  await transaction(world.db.writes, (tx) => insertSnapshot(tx, row))
  await registerOn(world, step, world.addDisk({ id: row.id, owner, region, manifest }))
}

/** An image may be made of any disk of one's own or of all, but not of one that could not be read. */
async function registerOn(world: World, step: Step, disk: ModelDisk): Promise<void> {
  const { who: owner } = step
  const { region } = disk
  const name = nameOf(step)
  const isWhole = disk.manifest !== undefined
  const isOwnDisk = disk.owner === owner || disk.grantees.has('all')
  const may = isWhole && isOwnDisk && mayHave(disk, owner) && !isNamed(world, owner, region, name)
  const BlockDeviceMappings = [{ DeviceName: '/dev/xvda', Ebs: { SnapshotId: disk.id } }]
  const made = await attempt<RegisterImageResult>(world, step, may, registerImage, region, {
    Name: name,
    RootDeviceName: '/dev/xvda',
    Architecture: 'x86_64',
    VirtualizationType: 'hvm',
    EnaSupport: true,
    BlockDeviceMappings,
  })
  if (made) world.addImage({ id: made.ImageId as Id<'image'>, name, owner, region, disk })
}

/** Makes the call, which has to be taken where it may be made, and refused where not. */
async function attempt<Output>(
  world: World,
  { do: kind, who }: Step,
  may: boolean,
  operation: Operation,
  region: string,
  input: object,
): Promise<Output | undefined> {
  const refusal = await world.refusal(operation, who, region, input)
  const text = `${kind} by ${who} in ${region}: ${refusal} ${JSON.stringify(input)}`
  assert.equal(refusal === undefined, may, text)
  assert.notEqual(refusal, 'Unavailable', text)
  return may ? await world.call<Output>(operation, who, region, input) : undefined
}

async function wait(world: World, { is }: Step): Promise<void> {
  world.pass((is ? 25 : 13) * hourMs)
  await world.settle()
  for (const image of world.images) {
    if (image.state !== 'recycled' || image.exitAtMs > world.now().getTime()) continue
    image.state = 'gone'
    image.grantees.clear()
  }
}

async function changeRule(world: World, { who, where, is }: Step): Promise<void> {
  const owner = { accountId: who, region: where }
  await transaction(world.db.writes, async (tx) => {
    for (const rule of await listRules(tx, owner)) await deleteRule(tx, rule)
    if (!is) return
    await insertRule(tx, {
      ...owner,
      id: randomBytes(6).toString('hex'),
      resourceType: 'EC2_IMAGE',
      retentionDays,
      description: '',
      resourceTags: [],
      excludeResourceTags: [],
      createdAt: world.now(),
      lock: undefined,
      revision: 0,
    })
  })
  world.settingsOf(who, where).hasRule = is
}

const markOf = (account: string): string => `${account}:a mark`

/** Images of one account, or those that carry its watermark. */
async function changeAllowed(world: World, step: Step): Promise<void> {
  const { number, is } = step
  const account = accounts[number % accounts.length] ?? accounts[0]
  const isByMark = number % 2 === 1
  const criterion = isByMark
    ? { ImageWatermarks: [{ WatermarkKey: markOf(account) }] }
    : { ImageProviders: [account] }
  const allowedState = is ? 'enabled' : 'disabled'
  await set(world, step, { allowedState, criteria: is ? [criterion] : [] })
  const allows = isByMark ? { mark: markOf(account) } : { provider: account }
  world.settingsOf(step.who, step.where).allows = is ? allows : undefined
}

/** Only who manages the organization moves accounts in it. */
async function move(world: World, step: Step): Promise<void> {
  const to = places[step.number % places.length] ?? places[0]
  const may = step.who === organization.managementAccountId && to !== world.place
  await attempt(world, step, may, moveAccount, step.where, {
    AccountId: accounts[1],
    SourceParentId: world.place,
    DestinationParentId: to,
  })
  if (may) world.place = to
}

async function change(world: World, step: Step, image: ModelImage): Promise<void> {
  const { who, is } = step
  const { id: ImageId, region, disk } = image
  const nowMs = world.now().getTime()
  const own = isOwn(image, who)
  const asked = <Output>(operation: Operation, input: object, may: boolean) =>
    attempt<Output>(world, step, may, operation, region, { ImageId, ...input })
  const cooledUntilMs = nowMs + 24 * hourMs
  const kind: string = step.do
  switch (kind) {
    case 'register again':
      return await registerOn(world, step, disk)
    case 'share':
      return await share(world, step, image)
    case 'share disk': {
      const grantee = step.grantee === 'all' || /^\d/.test(step.grantee) ? step.grantee : 'all'
      const item = grantee === 'all' ? { Group: 'all' } : { UserId: grantee }
      const may = disk.isThere && disk.owner === who
      const CreateVolumePermission = is ? { Add: [item] } : { Remove: [item] }
      const input = { SnapshotId: disk.id, CreateVolumePermission }
      await asked(modifySnapshotAttribute, input, may)
      if (may) disk.grantees[is ? 'add' : 'delete'](grantee)
      return
    }
    case 'give back': {
      const may = maySee(world, image, who) && image.grantees.has(who)
      await asked(cancelImageLaunchPermission, {}, may)
      if (may) image.grantees.delete(who)
      return
    }
    case 'reset':
      await asked(resetImageAttribute, { Attribute: 'launchPermission' }, own)
      if (own) image.grantees.clear()
      return
    case 'copy':
      return await copy(world, step, image)
    case 'bake':
      return await bake(world, step, image)
    case 'disable': {
      const may = own && image.state !== 'failed'
      await asked(disableImage, {}, may)
      if (!may) return
      image.state = 'disabled'
      image.grantees.clear()
      return
    }
    case 'enable': {
      const may = own && image.state !== 'failed'
      await asked(enableImage, {}, may)
      if (may) image.state = 'available'
      return
    }
    case 'protect':
      await asked(enableImageDeregistrationProtection, { WithCooldown: is }, own)
      if (!own) return
      if (image.protection === 'cooldown' && !is) image.protectedUntilMs = cooledUntilMs
      image.protection = is ? 'cooldown' : 'plain'
      return
    case 'unprotect':
      await asked(disableImageDeregistrationProtection, {}, own)
      if (!own) return
      if (image.protection === 'cooldown') image.protectedUntilMs = cooledUntilMs
      image.protection = 'none'
      return
    case 'deregister':
      return await deregister(world, step, image)
    case 'delete disk': {
      const isHeld = world.images.some((one) => one.disk === disk && holdsDisk(one))
      const may = disk.isThere && disk.owner === who && !isHeld
      await asked(deleteSnapshot, { SnapshotId: disk.id }, may)
      if (may) disk.isThere = false
      return
    }
    case 'restore': {
      const isFree = !isNamed(world, image.owner, region, image.name)
      const may = image.owner === who && image.state === 'recycled' && isFree
      await asked(restoreImageFromRecycleBin, {}, may)
      if (may) image.state = 'available'
      return
    }
    case 'deprecate': {
      const DeprecateAt = new Date(nowMs + (1 + (step.number % 24)) * hourMs)
      await asked(enableImageDeprecation, { DeprecateAt }, own)
      if (own) image.deprecatesAtMs = Math.round(DeprecateAt.getTime() / 60_000) * 60_000
      return
    }
    case 'undeprecate': {
      const may = own && !image.grantees.has('all')
      await asked(disableImageDeprecation, {}, may)
      if (may) image.deprecatesAtMs = Infinity
      return
    }
    case 'mark': {
      const may = own && !image.grantees.has('all')
      await asked(attachImageWatermark, { WatermarkName: 'a mark' }, may)
      if (may) image.marks.add(markOf(who))
      return
    }
    case 'unmark': {
      const account = accounts[step.number % accounts.length] ?? accounts[0]
      await asked(detachImageWatermark, { WatermarkKey: markOf(account) }, own)
      if (own) image.marks.delete(markOf(account))
      return
    }
    case 'tag': {
      const tags = { Resources: [ImageId], Tags: [{ Key: `of ${who}`, Value: 'b' }] }
      await asked(createTags, tags, maySee(world, image, who))
      return
    }
    default:
      assert.fail(step.do)
  }
}

async function share(world: World, step: Step, image: ModelImage): Promise<void> {
  const { who, grantee, is } = step
  const nowMs = world.now().getTime()
  const item =
    grantee === 'all'
      ? { Group: 'all' }
      : grantee === 'organization'
        ? { OrganizationArn: organizationArn(organization) }
        : grantee.startsWith('ou-')
          ? { OrganizationalUnitArn: unitArn(organization, grantee) }
          : { UserId: grantee }
  const isPublishing = is && grantee === 'all' && !image.grantees.has('all')
  const publicCount = world.images.filter(
    (one) =>
      one.owner === who &&
      one.region === image.region &&
      one.state !== 'gone' &&
      one.grantees.has('all'),
  ).length
  const mayPublish = !world.settingsOf(who, image.region).isBlocked && publicCount < publicImagesMax
  const may = isOwn(image, who) && image.state === 'available' && (!isPublishing || mayPublish)
  const LaunchPermission = is ? { Add: [item] } : { Remove: [item] }
  const input = { ImageId: image.id, LaunchPermission }
  await attempt(world, step, may, modifyImageAttribute, image.region, input)
  if (!may) return
  image.grantees[is ? 'add' : 'delete'](grantee)
  // Two years are longer than any of these histories.
  if (isPublishing && image.deprecatesAtMs === Infinity) image.deprecatesAtMs = 2 * nowMs
}

/** The copy carries the watermarks, and is nobody else's. */
async function copy(world: World, step: Step, image: ModelImage): Promise<void> {
  const { who: owner, where: region } = step
  const name = nameOf(step)
  const may = mayCopy(world, image, owner) && !isNamed(world, owner, region, name)
  const input = { SourceRegion: image.region, SourceImageId: image.id, Name: name }
  const made = await attempt<CopyImageResult>(world, step, may, copyImage, region, input)
  if (!made) return
  await world.settle()
  const id = made.ImageId as Id<'image'>
  const snapshotId = await diskOf(world, id)
  const { manifest } = image.disk
  const disk = world.addDisk({ id: snapshotId, owner, region, manifest })
  const copied = world.addImage({ id, name, owner, region, disk })
  for (const mark of image.marks) copied.marks.add(mark)
}

async function diskOf(world: World, id: Id<'image'>): Promise<Id<'snapshot'>> {
  const image = await findImage(world.db.reads, id)
  const [snapshotId] = image ? snapshotsOf(image) : []
  assert(snapshotId)
  return snapshotId
}

/** Who may launch an image may make one of the instance, whatever becomes of the first. */
async function bake(world: World, step: Step, image: ModelImage): Promise<void> {
  const { who: owner, number, is } = step
  const { region } = image
  if (!mayLaunch(world, image, owner)) return
  const name = nameOf(step)
  const instance = await putInstance(world.db, { accountId: owner, region }, { imageId: image.id })
  const made = await attempt<CreateImageResult>(
    world,
    step,
    !isNamed(world, owner, region, name),
    createImage,
    region,
    { InstanceId: instance.id, Name: name, NoReboot: true },
  )
  if (!made) return
  const id = made.ImageId as Id<'image'>
  const snapshotId = await diskOf(world, id)
  const manifest = is ? await saveNumbers(world.store, [7, 1 + (number % 4)]) : undefined
  await transaction(world.db.writes, async (tx) => {
    if (!manifest) return await failSnapshot(tx, { id: snapshotId, message: 'a bad disk' })
    return await completeSnapshot(tx, {
      id: snapshotId,
      manifest,
      completedAt: world.now(),
      parentSnapshotId: undefined,
      fullSizeBytes: 0,
      addedBytes: 0,
    })
  })
  await world.settle()
  const disk = world.addDisk({ id: snapshotId, owner, region, manifest })
  const baked = world.addImage({ id, name, owner, region, disk })
  if (!manifest) baked.state = 'failed'
  for (const mark of image.marks) baked.marks.add(mark)
}

async function deregister(world: World, step: Step, image: ModelImage): Promise<void> {
  const { who, is } = step
  const { id: ImageId, region, disk, state } = image
  const nowMs = world.now().getTime()
  const may = isOwn(image, who) && image.protection === 'none' && image.protectedUntilMs <= nowMs
  const input = { ImageId, DeleteAssociatedSnapshots: is }
  const result = await attempt<DeregisterImageResult>(
    world,
    step,
    may,
    deregisterImage,
    region,
    input,
  )
  if (!result) return
  const isKept = world.settingsOf(who, region).hasRule && state !== 'failed'
  image.state = isKept ? 'recycled' : 'gone'
  image.exitAtMs = nowMs + retentionDays * 24 * hourMs
  if (!isKept) image.grantees.clear()
  const codes = result.DeleteSnapshotResults?.map(({ ReturnCode }) => ReturnCode) ?? []
  const isHeld = world.images.some((one) => one.disk === disk && holdsDisk(one))
  const code = isHeld
    ? 'skipped'
    : !disk.isThere
      ? 'client-error'
      : disk.owner === who
        ? 'success'
        : 'missing-permissions'
  assert.deepEqual(codes, is ? [code] : [])
  if (is && code === 'success') disk.isThere = false
}
