/** Finds the snapshot that a call of the direct APIs reads or writes, or refuses the call. */
import type { StartSnapshotRequest } from '@aws-sdk/client-ebs'
import type { Database } from '../db/database.ts'
import { type Demand, demandOn, tagsOnResource } from '../iam/demand.ts'
import { tagsOfRequest } from '../iam/ec2-resources.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { listSnapshotPermissions } from '../snapshots/permission-store.ts'
import type { CompletedSnapshot, Snapshot } from '../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../snapshots/store.ts'
import { listTags } from '../tags/store.ts'
import { tagOfInput } from '../tags/tag.ts'
import type { CallContext, DemandContext } from '../wire/operation.ts'
import {
  type DirectSnapshot,
  hasTimedOut,
  invalid,
  noSuchSnapshot,
  readSnapshotId,
} from './direct-snapshot.ts'
import { findDirectSnapshot } from './store.ts'
import { wrongStateReason } from './unknowns.ts'

type Call = Pick<CallContext, 'caller' | 'region'>

/** A whole snapshot of the caller's own, or one that is shared with its account by name. */
export async function readableSnapshot(
  db: Database,
  call: Call,
  text: string | undefined,
): Promise<CompletedSnapshot> {
  const { accountId } = call.caller
  const snapshot = await visibleSnapshot(db, call, readSnapshotId(text))
  if (snapshot.accountId !== accountId) {
    // Unlike EC2, these calls know nothing of what is shared with everybody.
    const grantees = await listSnapshotPermissions(db, snapshot.id)
    if (!grantees.includes(accountId)) throw forbidden(snapshot.id)
  }
  if (snapshot.state === 'completed' && !snapshot.isArchived) return snapshot
  const state = snapshot.isArchived ? 'archived' : snapshot.state
  throw invalid(
    wrongStateReason,
    `The snapshot '${snapshot.id}' is not 'completed', it is '${state}'.`,
  )
}

interface Written {
  readonly snapshot: Snapshot
  readonly direct: DirectSnapshot
}

/** One of the caller's own that was started here, whatever became of it. */
export async function startedSnapshot(
  db: Database,
  call: Call,
  text: string | undefined,
): Promise<Written> {
  const snapshot = await visibleSnapshot(db, call, readSnapshotId(text))
  if (snapshot.accountId !== call.caller.accountId) throw forbidden(snapshot.id)
  const direct = await findDirectSnapshot(db, snapshot.id)
  if (direct) return { snapshot, direct }
  throw notOpen(snapshot)
}

/** The same, while it takes blocks. */
export async function openSnapshot(
  db: Database,
  call: Call & Pick<CallContext, 'now'>,
  text: string | undefined,
): Promise<Written> {
  const written = await startedSnapshot(db, call, text)
  requireOpen(written, call.now)
  return written
}

export function requireOpen({ snapshot, direct }: Written, now: Date): void {
  if (snapshot.state !== 'pending' || direct.state !== 'open') throw notOpen(snapshot)
  if (!hasTimedOut(direct, now)) return
  throw invalid(
    'WRITE_REQUEST_TIMEOUT',
    `No block was written to the snapshot '${snapshot.id}' for ${direct.timeoutMinutes} minutes.`,
  )
}

export function notOpen({ id, state }: Snapshot): ApiError {
  const what = state === 'pending' ? 'does not take blocks' : `is '${state}'`
  return invalid(wrongStateReason, `The snapshot '${id}' cannot be written: it ${what}.`)
}

/** What a caller needs to be allowed for a call about snapshots. */
export async function onSnapshots(
  action: string,
  ids: readonly (string | undefined)[],
  { db, caller, region }: Pick<DemandContext, 'caller' | 'db' | 'region'>,
): Promise<readonly Demand[]> {
  const { accountId } = caller
  const resourceIds = ids.map((id) => id ?? '*')
  const tags = await listTags(db, { accountId, resourceIds })
  return resourceIds.map((id) =>
    demandOn(`ebs:${action}`, arnOf(region, id), tagsOnResource(tags.get(id))),
  )
}

/** What a caller needs to start one, of which the id is not known yet. */
export function onNewSnapshot(
  { Description, ParentSnapshotId, Tags = [], VolumeSize }: StartSnapshotRequest,
  { region }: Pick<DemandContext, 'region'>,
): readonly Demand[] {
  return [
    demandOn('ebs:StartSnapshot', arnOf(region, '*'), {
      ...tagsOfRequest(Tags.map(tagOfInput)),
      'ebs:Description': Description,
      'ebs:ParentSnapshot': ParentSnapshotId && arnOf(region, ParentSnapshotId),
      'ebs:VolumeSize': VolumeSize?.toString(),
    }),
  ]
}

const arnOf = (region: string, id: string): string => `arn:aws:ec2:${region}::snapshot/${id}`

async function visibleSnapshot(
  db: Database,
  { caller, region }: Call,
  id: Id<'snapshot'>,
): Promise<Snapshot> {
  const found = await findUsableSnapshot(db, { accountId: caller.accountId, region, id })
  if (!found) throw noSuchSnapshot(id)
  return found
}

const forbidden = (id: string): ApiError =>
  new ApiError('UnauthorizedOperation', `You are not authorized to access the snapshot '${id}'.`)
