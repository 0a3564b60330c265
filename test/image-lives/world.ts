/**
 * A world for random lives of images: three accounts in two Regions, calls without a
 * server, the reconcilers that follow them, and beside it a model that knows nothing
 * but the rules: whose an image is, with whom it is shared, and what it lives on.
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { SimDisk } from '../../src/block-store/sim-disk.ts'
import { clock, openStore } from '../../src/block-store/testing.ts'
import { emptyReaders } from '../empty-readers.ts'
import { transaction } from '../../src/db/database.ts'
import { callerIn } from '../../src/iam/testing.ts'
import { imageReconciler } from '../../src/images/reconcile.ts'
import { changeImageSettings } from '../../src/images/settings-store.ts'
import type { Digest } from '../../src/lib/digest.ts'
import { ApiError } from '../../src/lib/errors.ts'
import { formatId, type Id, type Kind } from '../../src/lib/ids.ts'
import { ensureDefaultNetwork } from '../../src/network/defaults.ts'
import { insertMember, insertOrganization, insertUnit } from '../../src/organizations/store.ts'
import { snapshotCopyReconciler } from '../../src/snapshot-copies/reconcile.ts'
import type { Operation } from '../../src/wire/operation.ts'
import { databases, type Start } from '../databases.ts'

export const accounts = ['111111111111', '222222222222', '333333333333'] as const
export const regions = ['us-east-1', 'us-west-2'] as const
export const hourMs = 60 * 60 * 1000

/** The first account manages it, the second is in it and moves; the third never is. */
export const organization = { id: 'o-aaaaaaaaaa', managementAccountId: accounts[0] }
const rootId = 'r-aaaa'
/** One unit in the other. */
const units = ['ou-aaaa-11111111', 'ou-aaaa-22222222'] as const
export const [outerUnit, innerUnit] = units
/** Where an account can be: at the root, in the unit, or in the unit inside it. */
export const places = [rootId, ...units] as const

/** What an image lives on. */
export interface ModelDisk {
  readonly id: Id<'snapshot'>
  readonly owner: string
  readonly region: string
  readonly grantees: Set<string>
  readonly manifest: Digest | undefined
  isThere: boolean
}

export interface ModelImage {
  readonly id: Id<'image'>
  readonly name: string
  readonly owner: string
  readonly region: string
  readonly disk: ModelDisk
  /** Accounts, `all`, `organization`, or a unit. */
  readonly grantees: Set<string>
  readonly marks: Set<string>
  state: 'available' | 'failed' | 'disabled' | 'recycled' | 'gone'
  deprecatesAtMs: number
  protection: 'none' | 'plain' | 'cooldown'
  protectedUntilMs: number
  exitAtMs: number
}

/** What an account says in a Region. */
export interface ModelSettings {
  /** The account whose images it allows, or with whose watermark. */
  allows: { readonly provider?: string; readonly mark?: string } | undefined
  isBlocked: boolean
  hasRule: boolean
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** What calls read that is in no table: a host that holds any number of machines, and nothing else. */
const readers = emptyReaders

/** Thrown at the end of a call that shall not have happened. */
class Undone extends Error {}

export async function startWorld(context: Parameters<Start>[0], start: Start = databases.sqlite) {
  const db = await start(context)
  let ms = 1_800_000_000_000
  const now = () => new Date(ms)
  const newId = <K extends Kind>(kind: K): Id<K> => formatId(kind, randomBytes(9))
  await transaction(db.writes, async (tx) => {
    const owned = { organizationId: organization.id }
    await insertOrganization(tx, { ...organization, rootId, featureSet: 'ALL', createdAt: now() })
    await insertUnit(tx, { ...owned, id: outerUnit, parentId: rootId, name: 'outer' })
    await insertUnit(tx, { ...owned, id: innerUnit, parentId: outerUnit, name: 'inner' })
    for (const accountId of accounts.slice(0, 2)) {
      await insertMember(tx, {
        accountId,
        ...owned,
        parentId: rootId,
        name: accountId,
        email: 'a@example.com',
        joinedMethod: 'CREATED',
        joinedAt: now(),
        closure: undefined,
      })
    }
    for (const accountId of accounts) {
      for (const region of regions) {
        await ensureDefaultNetwork(tx, { accountId, region, newId, now: now() })
        await changeImageSettings(tx, { accountId, region }, { publicAccess: 'unblocked' })
      }
    }
  })
  const contextOf = (accountId: string, region: string, input: object) => {
    const caller = callerIn(accountId)
    return { input, caller, region, regions, requestId: '', now: now(), readers }
  }
  const writing = (operation: Operation, shared: object, end = () => {}) =>
    transaction(db.writes, async (tx) => {
      const output = await operation.run({ ...shared, tx, newId, randomBytes } as never)
      end()
      return output
    })

  /** Makes a call, as its caller and in its Region. */
  const call = async <Output>(
    operation: Operation,
    accountId: string,
    region: string,
    input: object,
  ): Promise<Output> => {
    const shared = contextOf(accountId, region, input)
    if (operation.kind === 'write') return (await writing(operation, shared)) as Output
    return (await operation.run({ ...shared, db: db.reads } as never)) as Output
  }

  /** The code with which a call would be refused now, or nothing. It changes nothing. */
  const refusal = async (
    operation: Operation,
    accountId: string,
    region: string,
    input: object,
  ): Promise<string | undefined> => {
    const undo = () => {
      throw new Undone()
    }
    try {
      const shared = contextOf(accountId, region, input)
      if (operation.kind === 'write') await writing(operation, shared, undo)
      else await operation.run({ ...shared, db: db.reads } as never)
      return undefined
    } catch (error) {
      if (error instanceof Undone) return undefined
      if (error instanceof ApiError) return error.code
      throw error
    }
  }

  const reconcilers = [
    snapshotCopyReconciler({
      db,
      now,
      blockStore: { hasManifest: () => true, beginUpload: () => assert.fail('nothing is new') },
      openDiskKey: async () => assert.fail('nothing is encrypted'),
    }),
    imageReconciler({ db, now }),
  ]
  const blockClock = clock()
  const settings = new Map<string, ModelSettings>()
  const seen = new Set<string>()
  return {
    db,
    store: await openStore(new SimDisk(blockClock), blockClock),
    call,
    refusal,
    newId,
    now,
    pass: (byMs: number) => void (ms += byMs),
    /** Does what is due. */
    async settle() {
      for (const reconciler of reconcilers) {
        for (const id of await reconciler.due()) await reconciler.step(id as never)
      }
    },
    images: [] as ModelImage[],
    disks: [] as ModelDisk[],
    /** Where the second account is. */
    place: rootId as (typeof places)[number],
    settingsOf(accountId: string, region: string): ModelSettings {
      const key = `${accountId} ${region}`
      const found = settings.get(key) ?? { allows: undefined, isBlocked: false, hasRule: false }
      settings.set(key, found)
      return found
    },
    addDisk(disk: Omit<ModelDisk, 'grantees' | 'isThere'>): ModelDisk {
      assert(!seen.has(disk.id), `${disk.id} came twice`)
      seen.add(disk.id)
      const made = { ...disk, grantees: new Set<string>(), isThere: true }
      this.disks.push(made)
      return made
    },
    addImage(image: Pick<ModelImage, 'id' | 'name' | 'owner' | 'region' | 'disk'>): ModelImage {
      assert(!seen.has(image.id), `${image.id} came twice`)
      seen.add(image.id)
      const made: ModelImage = {
        ...image,
        grantees: new Set(),
        marks: new Set(),
        state: 'available',
        deprecatesAtMs: Infinity,
        protection: 'none',
        protectedUntilMs: 0,
        exitAtMs: 0,
      }
      this.images.push(made)
      return made
    },
  }
}

const isGone = ({ state }: ModelImage): boolean => state === 'gone' || state === 'recycled'

/** Whether an account has been given what is shared so. */
function isGiven({ place }: World, grantees: ReadonlySet<string>, account: string): boolean {
  if (grantees.has('all') || grantees.has(account)) return true
  if (account === accounts[2]) return false
  if (grantees.has('organization')) return true
  // The managing account stays at the root.
  const at = account === accounts[0] ? 0 : places.indexOf(place)
  return places.some((unit, depth) => depth > 0 && depth <= at && grantees.has(unit))
}

/** Whether an account sees an image: in lists, by its id, and to make something of it. */
export function maySee(world: World, image: ModelImage, account: string): boolean {
  if (isGone(image)) return false
  if (image.owner === account) return true
  const { allows } = world.settingsOf(account, image.region)
  const { provider, mark } = allows ?? {}
  const isAllowed =
    (provider === undefined || provider === image.owner) &&
    (mark === undefined || image.marks.has(mark))
  return isAllowed && isGiven(world, image.grantees, account)
}

export const mayLaunch = (world: World, image: ModelImage, account: string): boolean =>
  maySee(world, image, account) && image.state === 'available'

/** To copy, one needs the disk too. */
export const mayHave = (disk: ModelDisk, account: string): boolean =>
  disk.isThere && (disk.owner === account || disk.grantees.has(account) || disk.grantees.has('all'))

export const mayCopy = (world: World, image: ModelImage, account: string): boolean =>
  mayLaunch(world, image, account) && mayHave(image.disk, account)

export const isOwn = (image: ModelImage, account: string): boolean =>
  image.owner === account && !isGone(image)

/** Images that hold on to what they live on. */
export const holdsDisk = ({ state }: ModelImage): boolean => state !== 'gone' && state !== 'failed'

/** The image that has a name: nobody else of the account can take it in the Region. */
export const isNamed = (world: World, owner: string, region: string, name: string): boolean =>
  world.images.some(
    (one) =>
      one.owner === owner &&
      one.region === region &&
      one.name === name &&
      (one.state === 'available' || one.state === 'disabled'),
  )
