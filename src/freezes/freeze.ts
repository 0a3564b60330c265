/**
 * A freeze: the instant that one call takes of one or several volumes. It is
 * wanted until every one of them has a new top layer; then what the layers
 * under these hold never changes, and can be read in peace.
 */
import type { Id } from '../lib/ids.ts'

export type FreezeId = `freeze-${string}`

export interface Freeze {
  readonly id: FreezeId
  /** The instance whose machine may be writing to the volumes; nothing where they are attached to none. */
  readonly instanceId: Id<'instance'> | undefined
  /** The machine is shut down first and started again after. */
  readonly withReboot: boolean
  readonly state: 'wanted' | 'done'
  readonly wantedAt: Date
}

export function formatFreezeId(random: Uint8Array): FreezeId {
  return `freeze-${Buffer.from(random).toString('hex')}`
}

export const isFreezeId = (text: string): text is FreezeId => text.startsWith('freeze-')
