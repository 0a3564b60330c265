/** An alias: a name of a key that can be put on another key. Each belongs to an account and a Region. */
import { ApiError } from '../lib/errors.ts'
import { constraint, type Place } from './key.ts'
import { reservedAliasCode } from './unknowns.ts'

export interface Alias extends Place {
  /** `alias/my-key` */
  readonly name: string
  readonly keyId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The keys that AWS manages for disks, and for parameters. */
export const ebsAlias = 'alias/aws/ebs'
export const ssmAlias = 'alias/aws/ssm'

export type ManagedAlias = typeof ebsAlias | typeof ssmAlias

/** What AWS says of them: by its description one is told from the others. */
export const managedKeys: Readonly<
  Record<
    ManagedAlias,
    { readonly name: string; readonly via: string; readonly description: string }
  >
> = {
  [ebsAlias]: {
    name: 'EBS',
    via: 'ec2',
    description: 'Default key that protects my EBS volumes when no other key is defined',
  },
  [ssmAlias]: {
    name: 'SSM',
    via: 'ssm',
    description: 'Default key that protects my SSM parameters when no other key is defined',
  },
}

export const isManagedAlias = (name: string): name is ManagedAlias =>
  Object.hasOwn(managedKeys, name)

const reservedPrefix = 'alias/aws/'
const nameLengthMax = 256

export const aliasArn = ({ accountId, region, name }: Place & Pick<Alias, 'name'>): string =>
  `arn:aws:kms:${region}:${accountId}:${name}`

/** A name that a caller may give, change or take away; others are refused. */
export function checkAliasName(name = ''): string {
  if (name === '') throw constraint('aliasName', 'have length greater than or equal to 1', '')
  if (name.length > nameLengthMax)
    throw constraint('aliasName', `have length less than or equal to ${nameLengthMax}`, name)
  if (!/^[a-zA-Z0-9:/_-]+$/.test(name))
    throw constraint('aliasName', 'satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$', name)
  if (name.startsWith(reservedPrefix)) {
    throw new ApiError(
      reservedAliasCode,
      `The alias name ${name} is reserved: names that begin with ${reservedPrefix} are for AWS managed keys.`,
    )
  }
  if (/^alias\/[a-zA-Z0-9/_-]+$/.test(name)) return name
  throw new ApiError(
    'InvalidAliasNameException',
    `The alias name ${name} is not valid: it begins with alias/, and has letters, digits, slashes, _ and - after that.`,
  )
}

export const aliasNotFound = (alias: Place & Pick<Alias, 'name'>): ApiError =>
  new ApiError('NotFoundException', `Alias ${aliasArn(alias)} is not found.`)
