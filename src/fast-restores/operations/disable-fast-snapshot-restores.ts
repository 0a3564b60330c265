/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DisableFastSnapshotRestores.html */
import type {
  DisableFastSnapshotRestoresRequest,
  DisableFastSnapshotRestoresResult,
} from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { type FastRestore, isOn } from '../fast-restore.ts'
import { type Failure, readWishes, viewFailures } from '../request.ts'
import { changeFastRestore, findFastRestore } from '../store.ts'
import { viewFastRestore } from '../view.ts'

export const disableFastSnapshotRestores = writeOperation<
  DisableFastSnapshotRestoresRequest,
  DisableFastSnapshotRestoresResult
>({
  action: 'DisableFastSnapshotRestores',
  async run({ input, tx, caller, region, now }) {
    const ended: FastRestore[] = []
    const failures: Failure[] = []
    for (const wish of readWishes(input, region)) {
      const { snapshotId, zone } = wish
      const key = { snapshotId, zone: zone.name, accountId: caller.accountId }
      const found = await findFastRestore(tx, key)
      const to = { state: 'disabling', times: { ...found?.times, disabling: now } } as const
      if (found && isOn(found) && (await changeFastRestore(tx, found, to))) {
        ended.push({ ...found, ...to })
        continue
      }
      const message = `Fast snapshot restores are not enabled for '${snapshotId}' in ${zone.name}.`
      failures.push({ ...wish, error: new ApiError('IncorrectState', message) })
    }
    return { Successful: ended.map(viewFastRestore), Unsuccessful: viewFailures(failures) }
  },
})
