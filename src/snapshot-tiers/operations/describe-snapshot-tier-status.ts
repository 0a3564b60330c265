/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotTierStatus.html */
import type {
  DescribeSnapshotTierStatusRequest,
  DescribeSnapshotTierStatusResult,
  SnapshotTierStatus,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import type { Snapshot } from '../../snapshots/snapshot.ts'
import { listSnapshots } from '../../snapshots/store.ts'
import { listTags } from '../../tags/store.ts'
import type { Tag } from '../../tags/tag.ts'
import { viewTags } from '../../tags/view.ts'
import { readOperation } from '../../wire/operation.ts'
import { listTierings } from '../store.ts'
import { statusOf, type Tiering } from '../tiering.ts'

interface Item {
  readonly snapshot: Snapshot
  readonly tiering: Tiering | undefined
}

const filters: FilterTable<Item> = {
  'last-tiering-operation': ({ tiering }) => tiering && statusOf(tiering),
  'snapshot-id': ({ snapshot }) => snapshot.id,
  'volume-id': ({ snapshot }) => snapshot.volumeId,
}

export const describeSnapshotTierStatus = readOperation<
  DescribeSnapshotTierStatusRequest,
  DescribeSnapshotTierStatusResult
>({
  action: 'DescribeSnapshotTierStatus',
  async run({ input, db, caller, region }) {
    checkFilters(input.Filters, filters)
    const viewer = caller.accountId
    const snapshots = await listSnapshots(db, { viewer, region, ownerIds: [viewer] })
    const tierings = await listTierings(
      db,
      snapshots.map(({ id }) => id),
    )
    const tags = await listTags(db, { accountId: viewer, region, resourceType: 'snapshot' })
    const found = snapshots
      .map((snapshot) => ({ snapshot, tiering: tierings.get(snapshot.id) }))
      .filter((item) => matchesFilters(item, input.Filters, filters, tags.get(item.snapshot.id)))
    const { items, NextToken } = page(found, input, ({ snapshot }) => snapshot.id)
    const shown = items.map((item) => viewItem(item, tags.get(item.snapshot.id)))
    return { SnapshotTierStatuses: shown, ...(NextToken && { NextToken }) }
  },
})

function viewItem(
  { snapshot, tiering }: Item,
  tags: readonly Tag[] | undefined,
): SnapshotTierStatus {
  return {
    SnapshotId: snapshot.id,
    VolumeId: snapshot.volumeId,
    Status: snapshot.state,
    OwnerId: snapshot.accountId,
    Tags: viewTags(tags),
    StorageTier: snapshot.isArchived ? 'archive' : 'standard',
    RestoreExpiryTime: snapshot.restoreExpiresAt,
    ...(tiering && {
      LastTieringStartTime: tiering.startedAt,
      LastTieringProgress: tiering.progress === 'completed' ? 100 : 0,
      LastTieringOperationStatus: statusOf(tiering),
      LastTieringOperationStatusDetail: tiering.detail || undefined,
      ArchivalCompleteTime: tiering.archivedAt,
    }),
  }
}
