/**
 * A launch: which machine was started from which image, by whom, and what took the place of its
 * root since. It is known longer than any of them is there.
 */
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

/** The image, with its name and owner as they were then. */
export interface ImageThen {
  readonly imageId: Id<'image'>
  readonly imageName: string | undefined
  readonly imageOwnerId: string | undefined
}

/** A root that took the place of the one before: an image's, or what somebody had of their own. */
export interface LaterRoot {
  readonly taskId: Id<'replace-root-volume-task'>
  readonly instanceId: Id<'instance'>
  /** Nothing where the root was made of a snapshot, or was a volume that was there. */
  readonly image: ImageThen | undefined
  readonly snapshotId: Id<'snapshot'> | undefined
  readonly volumeId: Id<'volume'>
  readonly replacedAt: Date
}
