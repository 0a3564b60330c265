/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableFastSnapshotRestores.html */
import type {
  EnableFastSnapshotRestoresRequest,
  EnableFastSnapshotRestoresResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { type Snapshot, snapshotNotFound } from '../../snapshots/snapshot.ts'
import { findUsableSnapshot } from '../../snapshots/store.ts'
import { type WriteCall, writeOperation } from '../../wire/operation.ts'
import { type FastRestore, isOn } from '../fast-restore.ts'
import { type Failure, readWishes, viewFailures, type Wish } from '../request.ts'
import { changeFastRestore, findFastRestore, insertFastRestore } from '../store.ts'
import { viewFastRestore } from '../view.ts'

type Call = WriteCall<EnableFastSnapshotRestoresRequest>

export const enableFastSnapshotRestores = writeOperation<
  EnableFastSnapshotRestoresRequest,
  EnableFastSnapshotRestoresResult
>({
  action: 'EnableFastSnapshotRestores',
  async run(call) {
    const { input, tx, caller, region } = call
    const made: FastRestore[] = []
    const failures: Failure[] = []
    for (const wish of readWishes(input, region)) {
      const query = { accountId: caller.accountId, region, id: wish.snapshotId }
      const error = refusalOf(await findUsableSnapshot(tx, query), wish)
      if (error) failures.push({ ...wish, error })
      else made.push(await enable(call, wish))
    }
    return { Successful: made.map(viewFastRestore), Unsuccessful: viewFailures(failures) }
  },
})

function refusalOf(snapshot: Snapshot | undefined, { snapshotId }: Wish): ApiError | undefined {
  if (!snapshot) return snapshotNotFound(snapshotId)
  if (snapshot.state === 'completed' && !snapshot.isArchived) return undefined
  const state = snapshot.isArchived ? 'archived' : snapshot.state
  return new ApiError('IncorrectState', `The snapshot '${snapshotId}' is '${state}'.`)
}

/** To ask again for what is enabled changes nothing. */
async function enable(
  { tx, caller, region, now }: Call,
  { snapshotId, zone }: Wish,
): Promise<FastRestore> {
  const key = { snapshotId, zone: zone.name, accountId: caller.accountId }
  const start = { state: 'enabling', times: { enabling: now } } as const
  await insertFastRestore(tx, { ...key, region, ...start })
  const found = await findFastRestore(tx, key)
  if (!found) return { ...key, region, ...start }
  if (isOn(found)) return found
  await changeFastRestore(tx, found, start)
  return { ...key, region, ...start }
}
