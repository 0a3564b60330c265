/** The policy of a key: the one that it was given, or that every key begins with, by which its account decides. */
import { ebsAlias, managedKeys } from './alias.ts'
import { ApiError } from '../lib/errors.ts'
import type { Key } from './key.ts'

export const policyName = 'default'

export const policyOf = (key: Key): string => key.policy ?? defaultPolicy(key)

/** A key has one policy, of that name. */
export function checkPolicyName(name = policyName): void {
  if (name === policyName) return
  throw new ApiError('NotFoundException', `No such policy exists: ${name.slice(0, 128)}`)
}

/** As AWS writes it for a key that is made without one. */
function defaultPolicy({ accountId, region, manager, description }: Key): string {
  const root = `arn:aws:iam::${accountId}:root`
  const service =
    Object.values(managedKeys).find((one) => one.description === description) ??
    managedKeys[ebsAlias]
  const { name, via } = service
  const statements =
    manager === 'CUSTOMER'
      ? [
          {
            Sid: 'Enable IAM User Permissions',
            Effect: 'Allow',
            Principal: { AWS: root },
            Action: 'kms:*',
            Resource: '*',
          },
        ]
      : [
          {
            Sid: `Allow access through ${name} for all principals in the account that are authorized to use ${name}`,
            Effect: 'Allow',
            Principal: { AWS: '*' },
            Action: [
              'kms:Encrypt',
              'kms:Decrypt',
              'kms:ReEncrypt*',
              'kms:GenerateDataKey*',
              'kms:CreateGrant',
              'kms:DescribeKey',
            ],
            Resource: '*',
            Condition: {
              StringEquals: {
                'kms:CallerAccount': accountId,
                'kms:ViaService': `${via}.${region}.amazonaws.com`,
              },
            },
          },
          {
            Sid: 'Allow direct access to key metadata to the account',
            Effect: 'Allow',
            Principal: { AWS: root },
            Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
            Resource: '*',
          },
        ]
  const Id = manager === 'CUSTOMER' ? 'key-default-1' : `auto-${name.toLowerCase()}-2`
  return JSON.stringify({ Version: '2012-10-17', Id, Statement: statements }, undefined, 2)
}
