/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLockedSnapshots.html */
import type {
  DescribeLockedSnapshotsRequest,
  DescribeLockedSnapshotsResult,
  LockedSnapshotsInfo,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { listLocks } from '../lock-store.ts'
import { viewLock } from '../lock-view.ts'
import { parseSnapshotId, snapshotNotFound } from '../snapshot.ts'
import { listSnapshots } from '../store.ts'

const filters: FilterTable<LockedSnapshotsInfo> = { 'lock-state': ({ LockState }) => LockState }

export const describeLockedSnapshots = readOperation<
  DescribeLockedSnapshotsRequest,
  DescribeLockedSnapshotsResult
>({
  action: 'DescribeLockedSnapshots',
  async run({ input, db, caller, region, now }) {
    checkFilters(input.Filters, filters)
    const ids = input.SnapshotIds?.length ? input.SnapshotIds.map(parseSnapshotId) : undefined
    const viewer = caller.accountId
    const own = await listSnapshots(db, { viewer, region, ids, ownerIds: [viewer] })
    const snapshots = new Map(own.map((snapshot) => [snapshot.id, snapshot]))
    const missing = ids?.find((id) => !snapshots.has(id))
    if (missing) throw snapshotNotFound(missing)
    const locked = (await listLocks(db, [...snapshots.keys()])).flatMap((lock) => {
      const snapshot = snapshots.get(lock.snapshotId)
      return snapshot ? [{ OwnerId: viewer, ...viewLock(lock, snapshot, now) }] : []
    })
    const found = locked.filter((one) => matchesFilters(one, input.Filters, filters))
    const { items, NextToken } = page(found, input, ({ SnapshotId = '' }) => SnapshotId)
    return { Snapshots: [...items], ...(NextToken && { NextToken }) }
  },
})
