/**
 * Fast restores of a snapshot in a zone: its base is made ready before the first
 * volume of it, and kept as long as it is enabled.
 *
 *     enabling ──▶ optimizing ──▶ enabled ──▶ disabling ──▶ disabled ──▶ enabling …
 */
import type { Id } from '../lib/ids.ts'

export type FastRestoreState = 'enabling' | 'optimizing' | 'enabled' | 'disabling' | 'disabled'

/** When each state was entered last. */
export type FastRestoreTimes = Readonly<Partial<Record<FastRestoreState, Date>>>

export interface FastRestoreKey {
  readonly snapshotId: Id<'snapshot'>
  readonly zone: string
  /** Who enabled it: the snapshot's owner, or one that it is shared with. */
  readonly accountId: string
}

export interface FastRestore extends FastRestoreKey {
  readonly region: string
  readonly state: FastRestoreState
  readonly times: FastRestoreTimes
  /** Why it is in its state, where that is not what the state says by itself. */
  readonly reason?: string
}

/** In these it is on, or on its way there. */
export const statesOn: readonly FastRestoreState[] = ['enabling', 'optimizing', 'enabled']

export const isOn = ({ state }: Pick<FastRestore, 'state'>): boolean => statesOn.includes(state)

export const formatKey = ({ snapshotId, zone, accountId }: FastRestoreKey): string =>
  `${snapshotId}/${zone}/${accountId}`

export function parseKey(text: string): FastRestoreKey {
  const [snapshotId = '', zone = '', accountId = ''] = text.split('/')
  return { snapshotId: snapshotId as Id<'snapshot'>, zone, accountId }
}

/** How the state came about, in AWS's words. */
export const reasonOf = ({ state, reason }: Pick<FastRestore, 'state' | 'reason'>): string =>
  reason ??
  (state === 'enabling' || state === 'disabling'
    ? 'Client.UserInitiated'
    : 'Client.UserInitiated - Lifecycle state transition')

/** Why one has ended that nobody has disabled. */
export const endings = {
  notUsable:
    'Client.InvalidSnapshot.InvalidState - The requested snapshot transitioned to an invalid state (Error)',
  gone: 'Client.InvalidSnapshot.InvalidState - The requested snapshot was deleted or access permissions were revoked',
  failed: 'Server.InternalError - An internal error caused the operation to fail',
} as const
