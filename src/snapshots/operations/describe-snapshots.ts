/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html */
import type { DescribeSnapshotsRequest, DescribeSnapshotsResult } from '@aws-sdk/client-ec2'
import { type Account, listProviders } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page, readPageQuery } from '../../lib/pages.ts'
import { type SnapshotCopy, transferTypeOf } from '../../snapshot-copies/snapshot-copy.ts'
import { listCopies } from '../../snapshot-copies/store.ts'
import { listTags } from '../../tags/store.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { everyone, parseGrantee } from '../permission.ts'
import { parseSnapshotId, type Snapshot, snapshotNotFound } from '../snapshot.ts'
import { listSnapshots } from '../store.ts'
import { viewSnapshot } from '../view.ts'

interface Item {
  readonly snapshot: Snapshot
  readonly ownerAlias: string | undefined
  readonly copy: SnapshotCopy | undefined
}

/** Every filter that AWS has. Those on what we keep no record of match nothing. */
const filters: FilterTable<Item> = {
  'completion-time': ({ snapshot }) =>
    snapshot.state === 'completed' ? snapshot.completedAt : undefined,
  description: ({ snapshot }) => snapshot.description,
  encrypted: ({ snapshot }) => snapshot.kmsKeyArn !== undefined,
  'owner-alias': ({ ownerAlias }) => ownerAlias,
  'owner-id': ({ snapshot }) => snapshot.accountId,
  progress: ({ snapshot }) => `${snapshot.progressPercent}%`,
  'snapshot-id': ({ snapshot }) => snapshot.id,
  'start-time': ({ snapshot }) => snapshot.startedAt,
  status: ({ snapshot }) => snapshot.state,
  'storage-tier': ({ snapshot }) => (snapshot.isArchived ? 'archive' : 'standard'),
  'transfer-type': ({ copy }) => copy && transferTypeOf(copy),
  'volume-id': ({ snapshot }) => snapshot.volumeId,
  'volume-size': ({ snapshot }) => snapshot.volumeSizeGiB,
}

export const describeSnapshots = readOperation<DescribeSnapshotsRequest, DescribeSnapshotsResult>({
  action: 'DescribeSnapshots',
  async run(call) {
    const { input, db, caller, region } = call
    checkFilters(input.Filters, filters)
    const ids = input.SnapshotIds?.map(parseSnapshotId)
    if (ids && input.MaxResults !== undefined) {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter snapshotSet cannot be used with the parameter maxResults',
      )
    }
    const { after } = readPageQuery(input)
    const providers = await listProviders(db)
    const found = await find(call, { ids, after, providers })

    const aliases = new Map(providers.map(({ id, alias }) => [id, alias]))
    const copies = await listCopies(
      db,
      found.map(({ id }) => id),
    )
    const items = found.map((snapshot) => ({
      snapshot,
      ownerAlias: aliases.get(snapshot.accountId),
      copy: copies.get(snapshot.id),
    }))
    const tagsOf = (some: readonly Item[]) =>
      listTags(db, {
        accountId: caller.accountId,
        region,
        ...(some.length > 500
          ? { resourceType: 'snapshot' }
          : { resourceIds: some.map(({ snapshot }) => snapshot.id) }),
      })
    const needsTags = input.Filters?.some(({ Name }) => Name?.startsWith('tag'))
    const allTags = needsTags ? await tagsOf(items) : undefined
    const matching = items.filter((item) =>
      matchesFilters(item, input.Filters, filters, allTags?.get(item.snapshot.id)),
    )
    const { items: shown, NextToken } = page(matching, input, ({ snapshot }) => snapshot.id)
    const tags = allTags ?? (await tagsOf(shown))
    const Snapshots = shown.map(({ snapshot, ...beside }) =>
      viewSnapshot(snapshot, { ...beside, tags: tags.get(snapshot.id) }),
    )
    return { Snapshots, ...(NextToken && { NextToken }) }
  },
})

/** What the caller sees of what it names, whatever the filters. */
async function find(
  { input, db, caller, region }: ReadCall<DescribeSnapshotsRequest>,
  {
    ids,
    after,
    providers,
  }: {
    readonly ids: ReturnType<typeof parseSnapshotId>[] | undefined
    readonly after: string | undefined
    readonly providers: readonly Account[]
  },
): Promise<readonly Snapshot[]> {
  const viewer = caller.accountId
  if (ids) {
    const seen = new Set((await listSnapshots(db, { viewer, region, ids })).map(({ id }) => id))
    const missing = ids.find((id) => !seen.has(id))
    if (missing) throw snapshotNotFound(missing)
  }
  const ownerIds = input.OwnerIds?.map((owner) => {
    if (owner === 'self') return viewer
    return providers.find(({ alias }) => alias === owner)?.id ?? parseGrantee(owner, 'amazon')
  })
  const restorableBy = input.RestorableByUserIds?.map((user) =>
    user === 'self' ? viewer : parseGrantee(user, everyone),
  )
  return await listSnapshots(db, { viewer, region, ids, ownerIds, restorableBy, after })
}
