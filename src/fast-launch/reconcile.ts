/**
 * Keeps as many snapshots in reserve as were asked for. Whatever is to be done next is told
 * by how all is (`next.ts`), and done in one transaction. Of an account that is closed all stays as it is.
 */
import { type Connections, type Database, transaction, type Tx } from '../db/database.ts'
import { findVisible, isAllowed } from '../images/find.ts'
import { findInstance } from '../instances/store.ts'
import { ApiError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { findStanding } from '../organizations/store.ts'
import type { Reconciler, StepOutcome } from '../reconcile/loop.ts'
import { findSnapshots } from '../snapshots/store.ts'
import { type FastLaunch, failedFrom, formatKey, parseKey } from './fast-launch.ts'
import { type Action, nextOf, type SeenReserve, type Situation } from './next.ts'
import { capture, discard, keep, launchAhead, type Making } from './prepare.ts'
import {
  changeFastLaunch,
  deleteFastLaunch,
  deleteReserve,
  findFastLaunch,
  insertReserve,
  listFastLaunches,
  listReserves,
} from './store.ts'

export function fastLaunchReconciler({
  db,
  now,
  log,
  ...rest
}: Omit<Making, 'tx' | 'now'> & {
  readonly db: Connections
  readonly now: () => Date
  readonly log: Log
}): Reconciler {
  const step = async (key: string): Promise<StepOutcome> =>
    await transaction(db.writes, async (tx) => {
      const fastLaunch = await findFastLaunch(tx, parseKey(key))
      if (!fastLaunch || (await isClosed(tx, fastLaunch))) return 'waiting'
      const making: Making = { ...rest, tx, now: now() }
      const action = nextOf(await look(tx, fastLaunch, making.now), making.now)
      if (!action) return 'waiting'
      await take(action, making, fastLaunch)
      return 'moved'
    })
  const fail = async (key: string, message: string): Promise<void> =>
    await transaction(db.writes, async (tx) => {
      const fastLaunch = await findFastLaunch(tx, parseKey(key))
      if (fastLaunch) await enterFailed(tx, fastLaunch, message, now())
    })
  return {
    name: 'fast-launch',
    stepsAtOnceMax: 4,
    async due() {
      const keys: string[] = []
      for (const fastLaunch of await listFastLaunches(db.reads)) {
        if (await isClosed(db.reads, fastLaunch)) continue
        const situation = await look(db.reads, fastLaunch, now())
        if (nextOf(situation, now())) keys.push(formatKey(fastLaunch))
      }
      return keys
    },
    async step(key) {
      try {
        return await step(key)
      } catch (error) {
        if (!(error instanceof ApiError)) throw error
        // There will be room when others are done.
        if (error.code !== 'InsufficientInstanceCapacity') await fail(key, error.message)
        return 'waiting'
      }
    },
    async giveUp(key, error) {
      log.error('the reserve of an image could not be filled', { key, error })
      await fail(key, reasonOf(error))
    },
  }
}

const isClosed = async (db: Database, { accountId }: FastLaunch): Promise<boolean> =>
  (await findStanding(db, accountId))?.isClosed ?? false

async function look(db: Database, fastLaunch: FastLaunch, now: Date): Promise<Situation> {
  const { imageId, accountId, region } = fastLaunch
  const image = await findVisible(db, { accountId, region, id: imageId })
  const isLaunchable =
    image?.state === 'available' && (await isAllowed(db, { accountId, region, now }, image))
  const held = await listReserves(db, { imageId, accountId })
  const snapshots = await findSnapshots(
    db,
    held.flatMap(({ snapshotId }) => snapshotId ?? []),
  )
  const reserves: SeenReserve[] = []
  for (const reserve of held) {
    const { instanceId, snapshotId, state } = reserve
    // One whose snapshot is ready has ended.
    const instance = state === 'ready' ? undefined : await findInstance(db, instanceId)
    reserves.push({ ...reserve, instance, snapshot: snapshots.find(({ id }) => id === snapshotId) })
  }
  return { fastLaunch, isLaunchable, reserves }
}

async function take(action: Action, making: Making, fastLaunch: FastLaunch): Promise<void> {
  const { tx, now } = making
  switch (action.to) {
    case 'launch':
      return await launchAhead(making, fastLaunch)
    case 'capture':
      return await capture(making, fastLaunch, action.reserve)
    case 'keep':
      return await keep(making, fastLaunch, action.reserve)
    case 'forget':
      return void (await deleteReserve(tx, action.reserve.instanceId))
    case 'discard': {
      const { reserve, failure } = action
      if (failure !== undefined) await enterFailed(tx, fastLaunch, failure, now)
      if (await discard(making, fastLaunch, reserve)) return
      if (fastLaunch.isForced || fastLaunch.state !== 'disabling') return
      const reason = `The snapshot ${reserve.snapshotId} could not be deleted`
      const to = { state: 'disabling-failed', stateSince: now, reason } as const
      await insertReserve(tx, reserve)
      return void (await changeFastLaunch(tx, fastLaunch, to))
    }
    case 'enter': {
      const { state, reason } = action
      return void (await changeFastLaunch(tx, fastLaunch, { state, reason, stateSince: now }))
    }
    case 'end':
      return await deleteFastLaunch(tx, fastLaunch)
  }
}

/** What is on has failed then; it is not tried again before somebody enables it again. */
async function enterFailed(tx: Tx, seen: FastLaunch, reason: string, now: Date): Promise<void> {
  const { state } = seen
  if (state !== 'enabling' && state !== 'enabled') return
  await changeFastLaunch(tx, seen, { state: failedFrom[state], reason, stateSince: now })
}
