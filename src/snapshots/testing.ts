/** For tests: a snapshot that is whole, and one that is not yet. */
import { digestOf } from '../lib/digest.ts'
import { type CompletedSnapshot, noVolumeId, type PendingSnapshot } from './snapshot.ts'

export const aSnapshot = (
  number: number,
  changes: Partial<CompletedSnapshot> = {},
): CompletedSnapshot => ({
  ...taken(number),
  progressPercent: 100,
  state: 'completed',
  completedAt: new Date(1),
  manifest: digestOf(Buffer.from('a disk')),
  parentSnapshotId: undefined,
  fullSizeBytes: 0,
  addedBytes: 0,
  ...changes,
})

export const aPendingSnapshot = (
  number: number,
  changes: Partial<PendingSnapshot> = {},
): PendingSnapshot => ({ ...taken(number), progressPercent: 0, state: 'pending', ...changes })

const taken = (number: number) =>
  ({
    id: `snap-${String(number).padStart(17, '0')}`,
    accountId: '111111111111',
    region: 'us-east-1',
    volumeId: noVolumeId,
    volumeSizeGiB: 1,
    description: '',
    startedAt: new Date(1),
    freezeId: undefined,
    layer: undefined,
  }) as const
