/** What nobody has seen AWS do with volumes: each guess once, by a name. */
import type { ErrorCode } from '../lib/errors.ts'

/** The code where a copy is to be smaller than the volume that it is of. */
export const copyTooSmallCode: ErrorCode = 'InvalidParameterValue'

/** The code where a volume is to be copied that is only being made, or goes. */
export const notCopyableCode: ErrorCode = 'IncorrectState'

/** The code where a key of KMS cannot be used, whatever the reason: it is that of the import calls. */
export const keyUnusableCode: ErrorCode = 'InvalidParameterValue'

/** The code where a plain disk is to be made of an encrypted snapshot. It is known of copies. */
export const plainOfEncryptedCode: ErrorCode = 'InvalidRequest'

/** What one needs to be allowed with the key of what a disk is made of, and with that of the disk. */
export const readingActions = ['DescribeKey', 'ReEncryptFrom'] as const
export const writingActions = ['CreateGrant', 'GenerateDataKeyWithoutPlaintext'] as const
