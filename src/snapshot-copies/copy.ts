/** Copies a snapshot: records the new one as a promise that `reconcile.ts` keeps. */
import { insertSnapshot } from '../snapshots/store.ts'
import {
  type CompletedSnapshot,
  type FailedSnapshot,
  noVolumeId,
  type PendingSnapshot,
} from '../snapshots/snapshot.ts'
import { putTags } from '../tags/store.ts'
import type { Tag } from '../tags/tag.ts'
import { chooseEncryption, type EncryptionCall } from '../volumes/encryption.ts'
import type { WriteCall } from '../wire/operation.ts'
import { copiesAtOnceMax, tooManyCopies } from './snapshot-copy.ts'
import { insertCopy, listCopiesUnderWay } from './store.ts'

type Call = Pick<WriteCall<unknown>, 'newId'> & EncryptionCall

/** AWS's own words. */
const keyNotAccessible = 'Given key ID is not accessible.'

export async function copySnapshots(
  call: Call,
  wanted: {
    readonly sources: readonly CompletedSnapshot[]
    readonly describe: (source: CompletedSnapshot) => string
    readonly tags: readonly Tag[]
    readonly completionMinutes: number | undefined
    readonly encrypted?: boolean | undefined
    readonly keyId?: string | undefined
  },
): Promise<readonly (PendingSnapshot | FailedSnapshot)[]> {
  const { tx, now, newId, caller, region } = call
  const { accountId } = caller
  const { sources, describe, tags, completionMinutes } = wanted
  const underWay = await listCopiesUnderWay(tx, { accountId, region })
  if (underWay.length + sources.length > copiesAtOnceMax) throw tooManyCopies()

  const copies: (PendingSnapshot | FailedSnapshot)[] = []
  for (const source of sources) {
    const { encrypted, keyId } = wanted
    const encryption = await chooseEncryption(call, { encrypted, keyId, source })
    const taken = {
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
      ...(encryption && { kmsKeyArn: encryption.arn }),
    }
    const problem = encryption?.problem
    // AWS looks at the key when it has answered: the copy is there, and has failed.
    const copy =
      problem === undefined
        ? ({ ...taken, state: 'pending' } as const)
        : ({ ...taken, state: 'error', stateMessage: `${keyNotAccessible} ${problem}` } as const)
    await insertSnapshot(tx, copy)
    if (copy.state === 'pending')
      await insertCopy(tx, {
        id: copy.id,
        accountId,
        region,
        sourceId: source.id,
        sourceRegion: source.region,
        manifest: source.manifest,
        fullSizeBytes: source.fullSizeBytes,
        completionMinutes,
        sourceKmsKeyArn: source.kmsKeyArn,
      })
    const resource = { resourceType: 'snapshot', resourceId: copy.id } as const
    await putTags(tx, { accountId, region, ...resource, tags })
    copies.push(copy)
  }
  return copies
}
