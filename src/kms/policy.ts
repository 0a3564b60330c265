/** The policy that every key has here: its account decides, by the policies of its users. */
import type { Key } from './key.ts'

export const policyName = 'default'

/** As AWS writes it for a key that is made without one. */
export function defaultPolicy({ accountId, region, manager }: Key): string {
  const root = `arn:aws:iam::${accountId}:root`
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
            Sid: 'Allow access through EBS for all principals in the account that are authorized to use EBS',
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
                'kms:ViaService': `ec2.${region}.amazonaws.com`,
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
  const Id = manager === 'CUSTOMER' ? 'key-default-1' : 'auto-ebs-2'
  return JSON.stringify({ Version: '2012-10-17', Id, Statement: statements }, undefined, 2)
}
