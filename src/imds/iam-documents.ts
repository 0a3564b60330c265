/**
 * What an instance is told of its profile and its role, as EC2 writes it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html
 */
import type { IssuedCredentials } from './role-credentials.ts'

type Members = Readonly<Record<string, string>>

/** `iam/info`. AWS documents the code of a profile that is gone, and not the words. */
export function profileDocument(profile: {
  readonly id: string
  readonly arn: string
  readonly isThere: boolean
  readonly since: Date
}): string {
  const LastUpdated = textOf(profile.since)
  return profile.isThere
    ? written({
        Code: 'Success',
        LastUpdated,
        InstanceProfileArn: profile.arn,
        InstanceProfileId: profile.id,
      })
    : written({
        Code: 'InstanceProfileNotFound',
        Message: `Instance Profile ${profile.arn} cannot be found.`,
        LastUpdated,
      })
}

/** `iam/security-credentials/<role>` */
export const credentialsDocument = (issued: IssuedCredentials): string =>
  written({
    Code: 'Success',
    LastUpdated: textOf(issued.issuedAt),
    Type: 'AWS-HMAC',
    AccessKeyId: issued.AccessKeyId,
    SecretAccessKey: issued.SecretAccessKey,
    Token: issued.SessionToken,
    Expiration: textOf(issued.Expiration),
  })

/** The same, of a role whose trust policy does not name EC2. */
export const notTrustedDocument = (role: string, now: Date): string =>
  written({
    Code: 'AssumeRoleUnauthorizedAccess',
    Message:
      `EC2 cannot assume the role ${role}.  Please see documentation at ` +
      'https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html.',
    LastUpdated: textOf(now),
  })

const textOf = (date: Date): string => date.toISOString().replace(/\.\d+Z$/, 'Z')

function written(members: Members): string {
  const lines = Object.entries(members).map(
    ([name, value]) => `  ${JSON.stringify(name)} : ${JSON.stringify(value)}`,
  )
  return `{\n${lines.join(',\n')}\n}`
}
