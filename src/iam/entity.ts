/**
 * What IAM keeps by name and path: users, groups, roles, managed policies and instance
 * profiles. The name is one of its kind in the account, whatever the case of its letters;
 * the id is one for ever, so that nobody inherits what was given to a namesake.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
 */
import { ApiError } from '../lib/errors.ts'

export interface Entity {
  readonly id: string
  readonly accountId: string
  readonly kind: EntityKind
  readonly name: string
  /** `/`, or `/teams/images/` */
  readonly path: string
  readonly createdAt: Date
  /** The policy that limits what a user or role may be allowed. */
  readonly boundaryArn: string | undefined
}

const kinds = {
  user: { prefix: 'AIDA', arnType: 'user', nameLengthMax: 64, called: 'User with name' },
  group: { prefix: 'AGPA', arnType: 'group', nameLengthMax: 128, called: 'Group with name' },
  role: { prefix: 'AROA', arnType: 'role', nameLengthMax: 64, called: 'Role with name' },
  policy: { prefix: 'ANPA', arnType: 'policy', nameLengthMax: 128, called: 'A policy called' },
  profile: {
    prefix: 'AIPA',
    arnType: 'instance-profile',
    nameLengthMax: 128,
    called: 'Instance Profile',
  },
} as const

export type EntityKind = keyof typeof kinds

/** What the kinds are called in the names of calls: `CreateInstanceProfile`. */
export const kindWords = {
  user: 'User',
  group: 'Group',
  role: 'Role',
  policy: 'Policy',
  profile: 'InstanceProfile',
} as const satisfies Record<EntityKind, string>

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** A name of 32 letters' alphabet out of as many random bytes. */
const random = (count: number, randomBytes: (count: number) => Uint8Array): string =>
  Array.from(randomBytes(count), (byte) => letters[byte % letters.length]).join('')

export function newEntityId(kind: EntityKind, randomBytes: (count: number) => Uint8Array): string {
  return `${kinds[kind].prefix}${random(17, randomBytes)}`
}

/** `AKIA` for keys that last. */
export const newKeyId = (randomBytes: (count: number) => Uint8Array): string =>
  `AKIA${random(16, randomBytes)}`

/** 40 letters, as AWS's are. */
export const newSecretText = (randomBytes: (count: number) => Uint8Array): string =>
  Buffer.from(randomBytes(30)).toString('base64')

export const entityArn = ({
  accountId,
  kind,
  path,
  name,
}: Omit<Entity, 'id' | 'createdAt' | 'boundaryArn'>): string =>
  `arn:aws:iam::${accountId}:${kinds[kind].arnType}${path}${name}`

/** Names differ by more than the case of their letters. */
export const foldName = (name: string): string => name.toLowerCase()

/** Refuses a name that no entity of the kind can have. */
export function checkName(kind: EntityKind, name: string, parameter: string): string {
  const { nameLengthMax } = kinds[kind]
  if (name.length > nameLengthMax) {
    throw new ApiError(
      'ValidationError',
      `1 validation error detected: Value at '${parameter}' failed to satisfy constraint: ` +
        `Member must have length less than or equal to ${nameLengthMax}`,
    )
  }
  if (/^[\w+=,.@-]+$/.test(name)) return name
  throw new ApiError(
    'ValidationError',
    `The specified value for ${parameter} is invalid. It must contain only alphanumeric ` +
      `characters and/or the following: +=,.@_-`,
  )
}

/** Refuses a path that is none. */
export function checkPath(path: string): string {
  if (/^\/([!-~]+\/)?$/.test(path) && path.length <= 512) return path
  throw new ApiError(
    'ValidationError',
    'The specified value for path is invalid. It must begin and end with / and contain only ' +
      'alphanumeric characters and/or / characters.',
  )
}

/** There is no such entity in the account. */
export function noSuchEntity(kind: EntityKind, name: string): ApiError {
  if (kind === 'policy') return new ApiError('NoSuchEntity', `Policy ${name} was not found.`)
  if (kind === 'profile') {
    return new ApiError('NoSuchEntity', `Instance Profile ${name} cannot be found.`)
  }
  return new ApiError('NoSuchEntity', `The ${kind} with name ${name} cannot be found.`)
}

/** Another entity of the kind has the name. */
export function entityExists(kind: EntityKind, name: string): ApiError {
  const hint = kind === 'policy' ? ' Duplicate names are not allowed.' : ''
  return new ApiError('EntityAlreadyExists', `${kinds[kind].called} ${name} already exists.${hint}`)
}

/** Something has to go first. */
export const deleteConflict = (first: string): ApiError =>
  new ApiError('DeleteConflict', `Cannot delete entity, must ${first} first.`)

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const quotas = {
  AccessKeysPerUser: 2,
  AttachedPoliciesPerUser: 10,
  AttachedPoliciesPerGroup: 10,
  AttachedPoliciesPerRole: 10,
  GroupsPerUser: 10,
  InstanceProfilesPerAccount: 1000,
  /** How many roles a profile can have. */
  InstanceSessionsPerInstanceProfile: 1,
  VersionsPerPolicy: 5,
} as const

export const beyondQuota = (name: keyof typeof quotas): ApiError =>
  new ApiError('LimitExceeded', `Cannot exceed quota for ${name}: ${quotas[name]}`)
