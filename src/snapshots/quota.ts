/**
 * How many snapshots there may be, and how many may be under way at once: the quotas that
 * an account of EC2 begins with.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebs-resource-quotas.html
 */
import type { Tx } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Volume } from '../volumes/volume.ts'
import type { CallContext } from '../wire/operation.ts'
import { countSnapshots, listPendingSnapshots } from './store.ts'
import { pendingSnapshotsMax } from './unknowns.ts'

/** Of an account in a Region, with those in the Recycle Bin. */
const snapshotsMax = 100_000
/** Of one volume, pending at a time: a throughput or cold disk carries one alone. */
const pendingOfVolumeMax = 5
const slowTypes = ['st1', 'sc1']

type Call = Pick<CallContext, 'region' | 'now'> & {
  readonly caller: Pick<CallContext['caller'], 'accountId'>
  readonly readers: Pick<CallContext['readers'], 'snapshotsApartMs'>
}

/** Refuses to take snapshots of volumes that have too many under way, or for an account with too many. */
export async function checkSnapshotQuotas(
  tx: Tx,
  { caller, region, now, readers }: Call,
  volumes: readonly Pick<Volume, 'id' | 'type'>[],
  max = snapshotsMax,
): Promise<void> {
  const counted = await countSnapshots(tx, { accountId: caller.accountId, region })
  const { snapshotsApartMs } = readers
  if (counted.all + volumes.length > max) {
    throw new ApiError('SnapshotLimitExceeded', `You have reached your quota of ${max} snapshots.`)
  }
  if (counted.pending + volumes.length > pendingSnapshotsMax) {
    throw new ApiError(
      'PendingSnapshotLimitExceeded',
      `You have reached your quota of ${pendingSnapshotsMax} pending snapshots.`,
    )
  }
  for (const { id: volumeId, type } of volumes) {
    const pending = await listPendingSnapshots(tx, { volumeId })
    const ofVolumeMax = slowTypes.includes(type) ? 1 : pendingOfVolumeMax
    if (pending.length >= ofVolumeMax) {
      throw new ApiError(
        'ConcurrentSnapshotLimitExceeded',
        `The volume '${volumeId}' has ${pending.length} snapshots under way already. ` +
          'Wait for them, and try again.',
      )
    }
    if (pending.some(({ startedAt }) => now.getTime() - startedAt.getTime() < snapshotsApartMs)) {
      throw new ApiError(
        'SnapshotCreationPerVolumeRateExceeded',
        'The maximum per volume CreateSnapshot request rate has been exceeded. ' +
          'Use an increasing or variable sleep interval between requests.',
      )
    }
  }
}
