/**
 * What accounts are told of snapshots, in AWS's own shapes.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/monitor-snapshot-archiving.html
 * https://docs.aws.amazon.com/ebs/latest/userguide/block-public-access-snapshots-events.html
 */
import { endings, reasonOf, type FastRestoreState } from '../fast-restores/fast-restore.ts'
import type { Snapshot } from '../snapshots/snapshot.ts'
import { type Message, timeOf } from './event.ts'
import { type StateChange, textOf, timeIn } from './state-change.ts'
import { lateCopyCause } from './unknowns.ts'

export function ofSnapshot(change: StateChange): Message {
  const { resourceId: id, region, facts, at, state } = change
  const isCopy = facts['sourceId'] !== null
  const source = isCopy
    ? ebsArn(textOf(facts['sourceRegion']), 'snapshot', textOf(facts['sourceId']))
    : ebsArn(region, 'volume', textOf(facts['volumeId']))
  const isWhole = state === 'completed'
  return notification(change, ebsArn(region, 'snapshot', id), {
    event: isCopy ? 'copySnapshot' : 'createSnapshot',
    result: isWhole ? 'succeeded' : 'failed',
    cause: isWhole ? '' : textOf(facts['message']),
    'request-id': '',
    snapshot_id: ebsArn(region, 'snapshot', id),
    source,
    startTime: timeOf(timeIn(facts['startedAtMs'])),
    endTime: timeOf(at),
    ...(isCopy && isWhole && ofCopy(change)),
  })
}

/** What is told of a copy that came about. */
function ofCopy({ facts, at }: StateChange) {
  const { completionMinutes: minutes, addedBytes, fullBytes, startedAtMs } = facts
  const incremental = String(Number(addedBytes) < Number(fullBytes))
  if (minutes === null) return { incremental, transferType: 'standard' }
  const isLate = at.getTime() > Number(startedAtMs) + Number(minutes) * minuteMs
  return {
    incremental,
    completionDurationStartTime: timeIn(startedAtMs).toISOString(),
    ...(isLate && { missedCompletionDurationCause: lateCopyCause }),
    transferType: 'time-based',
  }
}

const minuteMs = 60_000

/** Of several snapshots that one call has taken, when none of them is on its way any more. */
export function ofSeveral(
  { accountId, region, at }: StateChange,
  snapshots: readonly Pick<Snapshot, 'id' | 'volumeId' | 'state' | 'startedAt'>[],
): Message {
  const failed = snapshots.find(({ state }) => state !== 'completed')
  const begun = snapshots.map(({ startedAt }) => startedAt.getTime())
  return {
    accountId,
    detailType: 'EBS Multi-Volume Snapshots Completion Status',
    resources: snapshots.map(({ id }) => ebsArn(region, 'snapshot', id)),
    detail: {
      event: 'createSnapshots',
      result: failed ? 'failed' : 'succeeded',
      cause: failed ? `Snapshot ${failed.id} is in status ${failed.state}` : '',
      'request-id': '',
      startTime: timeOf(new Date(Math.min(...begun))),
      endTime: timeOf(at),
      snapshots: snapshots.map(({ id, volumeId, state }) => ({
        snapshot_id: ebsArn(region, 'snapshot', id),
        source: ebsArn(region, 'volume', volumeId),
        status: state,
      })),
    },
  }
}

export function ofShare(change: StateChange): Message {
  const { resourceId: id, region, facts, at } = change
  return notification(change, ebsArn(region, 'snapshot', id), {
    event: 'shareSnapshot',
    result: 'succeeded',
    cause: '',
    'request-id': '',
    snapshot_id: ebsArn(region, 'snapshot', id),
    source: textOf(facts['owner']),
    startTime: timeOf(at),
    endTime: timeOf(at),
  })
}

/** Of one that has gone into the archive or come out of it, and of one whose days outside are over. */
export function ofTier(change: StateChange, requestId: string): Message {
  const { resourceId: id, region, facts, state, at } = change
  const { operation, wasThere, restoreExpiresAtMs: expiresAtMs } = facts
  const name = operation === 'archival' ? 'archiveSnapshot' : 'restoreSnapshot'
  return notification(change, snapshotArn(region, id), {
    event: wasThere === 1 ? 'restoreExpiry' : name,
    result: state === 'completed' ? 'succeeded' : 'failed',
    cause: state === 'completed' ? '' : textOf(facts['message']),
    'request-id': requestId,
    snapshot_id: snapshotArn(region, id),
    startTime: timeOf(timeIn(facts['startedAtMs'])),
    endTime: timeOf(at),
    ...(operation === 'temporary-restore' &&
      state === 'completed' && { restoreExpiryTime: timeOf(timeIn(expiresAtMs)) }),
  })
}

export function ofFastRestore({
  resourceId: id,
  accountId,
  region,
  state,
  facts,
}: StateChange): Message {
  const isGone = state === 'gone'
  const seen = { state: (isGone ? 'disabled' : state) as FastRestoreState }
  const reason = isGone ? endings.gone : facts['reason']
  return {
    accountId,
    detailType: 'EBS Fast Snapshot Restore State-change Notification',
    resources: [snapshotArn(region, id)],
    detail: {
      'snapshot-id': id,
      state: seen.state,
      zone: textOf(facts['zone']),
      message: typeof reason === 'string' ? reason : reasonOf(seen),
    },
  }
}

export function ofPublicAccess({ accountId, state }: StateChange): Message {
  const isOn = state !== 'unblocked'
  return {
    accountId,
    detailType: `EBS Snapshot Block Public Access ${isOn ? 'Enabled' : 'Disabled'}`,
    resources: [],
    detail: {
      SnapshotBlockPublicAccessState: state,
      message: isOn
        ? `Block Public Access was successfully enabled in '${state}' mode`
        : 'Block Public Access was successfully disabled',
    },
  }
}

const notification = (
  { accountId }: StateChange,
  arn: string,
  detail: Message['detail'],
): Message => ({
  accountId,
  detailType: 'EBS Snapshot Notification',
  resources: [arn],
  detail,
})

/** The Region is where in every other ARN the account is: so EBS writes them in most of its events. */
const ebsArn = (region: string, type: 'snapshot' | 'volume', id: string): string =>
  `arn:aws:ec2::${region}:${type}/${id}`

/** And so in the others. */
const snapshotArn = (region: string, id: string): string => `arn:aws:ec2:${region}::snapshot/${id}`
