/** What nobody has seen the EBS direct APIs do: each guess has its one constant here. */
import type { Reason } from './direct-snapshot.ts'

/** Where the snapshot that is to be read is not completed, or the one to be written not pending. */
export const wrongStateReason: Reason = 'INVALID_SNAPSHOT_ID'

/** Where the checksum of a block, or that of all, is not that of what came. */
export const wrongChecksumReason: Reason = 'INVALID_BLOCK'

/** Where another number of blocks was put than the caller says. */
export const wrongCountReason: Reason = 'INVALID_PARAMETER_VALUE'

/** Where the key of an encrypted snapshot is disabled, or gone. */
export const keyTrouble = {
  code: 'AccessDeniedException',
  reason: 'DEPENDENCY_ACCESS_DENIED',
} as const

/** How long what a list has given out can be used. */
export const tokensHoldMs = 7 * 24 * 60 * 60 * 1000

/** How many blocks a list has at most where the caller does not say. */
export const usualMaxResults = 10_000

/** What one needs to be allowed with the key of an encrypted snapshot to read its blocks, or to complete it. */
export const blockActions = ['Decrypt'] as const
