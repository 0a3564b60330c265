/**
 * The key of a snapshot that is written block by block: its parent's, or what the call
 * and the account say.
 * https://docs.aws.amazon.com/ebs/latest/userguide/ebsapis-using-encryption.html
 */
import type { StartSnapshotRequest } from '@aws-sdk/client-ebs'
import type { CompletedSnapshot } from '../snapshots/snapshot.ts'
import { chooseEncryption, type Encryption, type EncryptionCall } from '../volumes/encryption.ts'
import { findEncryptionSettings } from '../volumes/encryption-settings-store.ts'
import { invalid } from './direct-snapshot.ts'

export async function readEncryption(
  call: EncryptionCall & { readonly input: StartSnapshotRequest },
  parent: CompletedSnapshot | undefined,
): Promise<Encryption | undefined> {
  const { input, tx, caller, region } = call
  const { KmsKeyArn: keyId } = input
  const { accountId } = caller
  const { encryptsByDefault } = await findEncryptionSettings(tx, { accountId, region })
  if (parent && keyId !== undefined) {
    throw invalid(parameterReason, 'KmsKeyArn and ParentSnapshotId cannot be specified together.')
  }
  if (parent && parent.kmsKeyArn === undefined && encryptsByDefault) {
    const message = 'Encryption by default is enabled: the parent snapshot must be encrypted.'
    throw invalid(parameterReason, message)
  }
  if (input.Encrypted === false && encryptsByDefault) {
    throw invalid(parameterReason, 'Encryption by default is enabled: Encrypted cannot be false.')
  }
  const encrypted = input.Encrypted ?? (encryptsByDefault || undefined)
  if (keyId !== undefined && encrypted !== true) {
    throw invalid(parameterReason, 'KmsKeyArn requires Encrypted to be true.')
  }
  if (keyId !== undefined && !keyId.startsWith('arn:')) {
    throw invalid('INVALID_CUSTOMER_KEY', 'KmsKeyArn must be the ARN of a key.')
  }
  const encryption = await chooseEncryption(call, { encrypted, keyId, source: parent })
  if (encryption?.problem !== undefined) throw invalid('INVALID_CUSTOMER_KEY', encryption.problem)
  if (parent?.kmsKeyArn === undefined || parent.kmsKeyArn === encryption?.arn) return encryption
  throw invalid('INVALID_CUSTOMER_KEY', 'The snapshot has the key of its parent, which is shared.')
}

const parameterReason = 'INVALID_PARAMETER_VALUE'
