/**
 * Fast launch of a Windows image: instances of it are launched ahead, set themselves up and
 * shut down, and snapshots of their roots are kept in reserve for the launches that come.
 *
 *     enabling ──▶ enabled ◀──▶ enabled-failed
 *        │  ▲         │               │
 *        ▼  │         └──────┬────────┘
 *     enabling-failed ───────┴──▶ disabling ──▶ (gone)
 *                                    │  ▲
 *                                    ▼  │
 *                              disabling-failed
 */
import type { Id } from '../lib/ids.ts'

export type FastLaunchState =
  | 'enabling'
  | 'enabling-failed'
  | 'enabled'
  | 'enabled-failed'
  | 'disabling'
  | 'disabling-failed'

export interface FastLaunchKey {
  readonly imageId: Id<'image'>
  /** Who enabled it, and has the instances and snapshots: the image's owner, or one that it is shared with. */
  readonly accountId: string
}

export interface FastLaunch extends FastLaunchKey {
  readonly region: string
  readonly state: FastLaunchState
  readonly stateSince: Date
  readonly reason: string
  /** How many snapshots are kept in reserve. */
  readonly targetCount: number
  /** How many instances set themselves up at the same time, at most. */
  readonly parallelMax: number
  /** What cannot be cleaned up does not keep it from being disabled. */
  readonly isForced: boolean
}

/**
 * A snapshot in reserve, or what is to become one:
 *
 *     preparing (an instance sets itself up) ──▶ capturing (its root is snapshotted) ──▶ ready
 */
export interface Reserve extends FastLaunchKey {
  /** Of what it was made. */
  readonly instanceId: Id<'instance'>
  readonly state: 'preparing' | 'capturing' | 'ready'
  readonly snapshotId: Id<'snapshot'> | undefined
  readonly begunAt: Date
}

export const userInitiated = 'Client.UserInitiated'
export const byItself = 'Client.UserInitiated - Lifecycle state transition'

/** What is said of it where something went wrong while it was on. */
export const failedFrom = {
  enabling: 'enabling-failed',
  enabled: 'enabled-failed',
} as const satisfies Partial<Record<FastLaunchState, FastLaunchState>>

export const formatKey = ({ imageId, accountId }: FastLaunchKey): string =>
  `${imageId}/${accountId}`

export function parseKey(text: string): FastLaunchKey {
  const [imageId = '', accountId = ''] = text.split('/')
  return { imageId: imageId as Id<'image'>, accountId }
}
