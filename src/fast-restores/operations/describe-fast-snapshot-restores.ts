/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFastSnapshotRestores.html */
import type {
  DescribeFastSnapshotRestoresRequest,
  DescribeFastSnapshotRestoresResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import { type FastRestore, formatKey } from '../fast-restore.ts'
import { listFastRestores } from '../store.ts'
import { viewFastRestore } from '../view.ts'

const limits = { min: 0, max: 200 } as const

const filters: FilterTable<FastRestore> = {
  'availability-zone': ({ zone }) => zone,
  'availability-zone-id': ({ zone, region }) => findZone(region, zone)?.id,
  'owner-id': ({ accountId }) => accountId,
  'snapshot-id': ({ snapshotId }) => snapshotId,
  state: ({ state }) => state,
}

export const describeFastSnapshotRestores = readOperation<
  DescribeFastSnapshotRestoresRequest,
  DescribeFastSnapshotRestoresResult
>({
  action: 'DescribeFastSnapshotRestores',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const all = await listFastRestores(db, { accountId: caller.accountId, region })
    const found = all.filter((one) => matchesFilters(one, input.Filters, filters))
    const { items, NextToken } = page(found, input, formatKey, limits)
    const shown = items.map(viewFastRestore)
    return { FastSnapshotRestores: shown, ...(NextToken && { NextToken }) }
  },
})
