/** Keys, aliases and tags as KMS answers them. */
import type { AliasListEntry, KeyMetadata, KeyState as KeyStateOutput } from '@aws-sdk/client-kms'
import type { Tag } from '../tags/tag.ts'
import { aliasArn, type Alias } from './alias.ts'
import { type Key, type KeyState, keyArn, type Place } from './key.ts'

export const stateNames: Readonly<Record<KeyState, KeyStateOutput>> = {
  enabled: 'Enabled',
  disabled: 'Disabled',
  'pending-deletion': 'PendingDeletion',
}

export function viewKey(key: Key): KeyMetadata {
  return {
    AWSAccountId: key.accountId,
    KeyId: key.id,
    Arn: keyArn(key),
    CreationDate: key.createdAt,
    Enabled: key.state === 'enabled',
    Description: key.description,
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: stateNames[key.state],
    DeletionDate: key.deletesAt,
    Origin: 'AWS_KMS',
    KeyManager: key.manager,
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
  }
}

/** An alias of AWS is there before its key is. */
export function viewAlias(
  alias: Place &
    Pick<Alias, 'name'> & {
      readonly keyId: string | undefined
      readonly createdAt?: Date
      readonly updatedAt?: Date
    },
): AliasListEntry {
  return {
    AliasName: alias.name,
    AliasArn: aliasArn(alias),
    TargetKeyId: alias.keyId,
    CreationDate: alias.createdAt,
    LastUpdatedDate: alias.updatedAt,
  }
}

export const viewTag = ({ key, value }: Tag) => ({ TagKey: key, TagValue: value })
