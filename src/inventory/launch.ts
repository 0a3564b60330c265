/** A launch: which machine was started from which image, by whom. It is known longer than either is there. */
import type { Id } from '../lib/ids.ts'

export interface Launch {
  readonly instanceId: Id<'instance'>
  readonly accountId: string
  readonly region: string
  readonly imageId: Id<'image'>
  /** As they were then. */
  readonly imageName: string | undefined
  readonly imageOwnerId: string | undefined
  readonly instanceType: string
  /** The ARN of who called; nothing for machines from before this was kept. */
  readonly launchedBy: string | undefined
  readonly launchedAt: Date
  /** When the machine was gone for good. */
  readonly endedAt: Date | undefined
}
