/** Copies a snapshot: records the new one as a promise that `reconcile.ts` keeps. */
import { insertSnapshot } from '../snapshots/store.ts'
import { type CompletedSnapshot, noVolumeId, type PendingSnapshot } from '../snapshots/snapshot.ts'
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import type { WriteCall } from '../wire/operation.ts'
import { copiesAtOnceMax, tooManyCopies } from './snapshot-copy.ts'
import { insertCopy, listCopiesUnderWay } from './store.ts'

type Call = Pick<WriteCall<unknown>, 'tx' | 'now' | 'newId' | 'caller' | 'region'>

export async function copySnapshots(
  { tx, now, newId, caller, region }: Call,
  wanted: {
    readonly sources: readonly CompletedSnapshot[]
    readonly describe: (source: CompletedSnapshot) => string
    readonly tags: readonly Tag[]
    readonly completionMinutes: number | undefined
  },
): Promise<readonly PendingSnapshot[]> {
  const { accountId } = caller
  const { sources, describe, tags, completionMinutes } = wanted
  const underWay = await listCopiesUnderWay(tx, { accountId, region })
  if (underWay.length + sources.length > copiesAtOnceMax) throw tooManyCopies()

  const copies: PendingSnapshot[] = []
  for (const source of sources) {
    const copy: PendingSnapshot = {
      id: newId('snapshot'),
      accountId,
      region,
      volumeId: noVolumeId,
      volumeSizeGiB: source.volumeSizeGiB,
      description: describe(source),
      startedAt: now,
      progressPercent: 0,
      freezeId: undefined,
      layer: undefined,
      state: 'pending',
    }
    await insertSnapshot(tx, copy)
    await insertCopy(tx, {
      id: copy.id,
      accountId,
      region,
      sourceId: source.id,
      sourceRegion: source.region,
      manifest: source.manifest,
      fullSizeBytes: source.fullSizeBytes,
      completionMinutes,
    })
    const resource = { resourceType: 'snapshot', resourceId: copy.id } as const
    await putTags(tx, { accountId, region, ...resource, tags })
    copies.push(copy)
  }
  return copies
}
