/**
 * What was asked last of a snapshot's storage tier, and how far it is.
 *
 *     standard ──archival──▶ archive ──temporary restore──▶ standard for some days ──▶ archive
 *                               └────permanent restore────▶ standard
 *
 * While it is in the archive tier, nothing can be made of the snapshot.
 */
import type { TieringOperationStatus } from '@aws-sdk/client-ec2'
import { ApiError, invalidParameterValue, missingParameter } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'

export type TierOperation = 'archival' | 'temporary-restore' | 'permanent-restore'
export type TierProgress = 'in-progress' | 'completed' | 'failed'

export interface Tiering {
  readonly snapshotId: Id<'snapshot'>
  readonly operation: TierOperation
  readonly progress: TierProgress
  readonly detail: string
  readonly startedAt: Date
  readonly archivedAt: Date | undefined
  /** For how long a temporary restore holds. */
  readonly restoreDays: number | undefined
}

export const statusOf = ({
  operation,
  progress,
}: Pick<Tiering, 'operation' | 'progress'>): TieringOperationStatus => `${operation}-${progress}`

/**
 * What one needs to be allowed with the key of an encrypted snapshot to archive or to restore it.
 * https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archiving-iam.html
 */
export const tieringActions = ['CreateGrant', 'Decrypt', 'DescribeKey'] as const

const restoreDaysMax = 180

/** Reads for how long a call wants an archived snapshot back: for some days, or for good. */
export function readRestore(input: {
  readonly TemporaryRestoreDays?: number | undefined
  readonly PermanentRestore?: boolean | undefined
}): Pick<Tiering, 'operation' | 'restoreDays'> {
  const { TemporaryRestoreDays: days, PermanentRestore: isPermanent = false } = input
  if (days !== undefined && isPermanent) {
    throw new ApiError(
      'InvalidParameterCombination',
      'The parameters TemporaryRestoreDays and PermanentRestore cannot be used together.',
    )
  }
  if (isPermanent) return { operation: 'permanent-restore', restoreDays: undefined }
  if (days === undefined) throw missingParameter('TemporaryRestoreDays or PermanentRestore')
  if (days >= 1 && days <= restoreDaysMax) {
    return { operation: 'temporary-restore', restoreDays: days }
  }
  const rule = `It must be from 1 to ${restoreDaysMax} days.`
  throw invalidParameterValue('temporaryRestoreDays', String(days), rule)
}
