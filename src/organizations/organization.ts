/**
 * An organization: accounts under one management account, in a tree of units
 * below one root. An account is in at most one organization, at one place of it.
 */
import { ApiError } from '../lib/errors.ts'

export type FeatureSet = 'ALL' | 'CONSOLIDATED_BILLING'

export interface Organization {
  readonly id: string
  readonly managementAccountId: string
  readonly rootId: string
  readonly featureSet: FeatureSet
  readonly createdAt: Date
}

export interface Unit {
  readonly id: string
  readonly organizationId: string
  /** The root, or another unit. */
  readonly parentId: string
  readonly name: string
}

/** An account at its place. */
export interface Member {
  readonly accountId: string
  readonly organizationId: string
  /** The root, or a unit. */
  readonly parentId: string
  readonly name: string
  readonly email: string
  readonly joinedMethod: 'CREATED' | 'INVITED'
  readonly joinedAt: Date
  /** Pending until nothing of the account runs any more; nothing while it is open. */
  readonly closure: 'pending' | 'done' | undefined
}

/** A tag on an account, a unit, the root or a policy. */
export interface ResourceTag {
  readonly key: string
  readonly value: string
}

/** The wish for a new account, and what came of it. */
export interface AccountRequest {
  readonly id: string
  readonly organizationId: string
  readonly accountName: string
  readonly email: string
  /** The role in the new account that the management account may take. */
  readonly roleName: string
  readonly tags: readonly ResourceTag[]
  readonly requestedAt: Date
  /** Nothing while the account is being made. */
  readonly outcome: AccountOutcome | undefined
}

export type AccountOutcome = { readonly completedAt: Date } & (
  | { readonly accountId: string }
  | { readonly failureReason: AccountFailure }
)

export type AccountFailure = 'EMAIL_ALREADY_EXISTS' | 'INTERNAL_FAILURE'

type Named = Pick<Organization, 'id' | 'managementAccountId'>

const arn = ({ managementAccountId }: Named, rest: string): string =>
  `arn:aws:organizations::${managementAccountId}:${rest}`

export const organizationArn = (organization: Named): string =>
  arn(organization, `organization/${organization.id}`)

export const rootArn = (organization: Named & Pick<Organization, 'rootId'>): string =>
  arn(organization, `root/${organization.id}/${organization.rootId}`)

export const unitArn = (organization: Named, unitId: string): string =>
  arn(organization, `ou/${organization.id}/${unitId}`)

export const accountArn = (organization: Named, accountId: string): string =>
  arn(organization, `account/${organization.id}/${accountId}`)

/** The digits and letters that ids here are made of. */
export function letters(random: Uint8Array, count: number): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789'
  return Array.from(random.subarray(0, count), (byte) => alphabet[byte % alphabet.length]).join('')
}

export const newOrganizationId = (random: Uint8Array): string => `o-${letters(random, 10)}`

export const newRootId = (random: Uint8Array): string => `r-${letters(random, 4)}`

/** A unit's id says which root it is under. */
export const newUnitId = (rootId: string, random: Uint8Array): string =>
  `ou-${rootId.slice(2)}-${letters(random, 8)}`

export const newRequestId = (random: Uint8Array): string =>
  `car-${Buffer.from(random).toString('hex').slice(0, 32)}`

/** Twelve digits, of which the first is no zero. */
export function newAccountId(random: Uint8Array): string {
  const number = random.reduce((sum, byte) => (sum * 256 + byte) % 900_000_000_000, 0)
  return String(100_000_000_000 + number)
}

export const isUnitId = (text: string): boolean => /^ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}$/.test(text)
export const isRootId = (text: string): boolean => /^r-[0-9a-z]{4,32}$/.test(text)

/** Refuses what is the id of no place. */
export function checkParentId(text: string): string {
  if (isUnitId(text) || isRootId(text)) return text
  throw invalidInput('You provided a value that does not match the required pattern.')
}

export function checkAccountId(text: string): string {
  if (/^\d{12}$/.test(text)) return text
  throw invalidInput('You provided a value that does not match the required pattern.')
}

export const invalidInput = (message: string): ApiError =>
  new ApiError('InvalidInputException', message)

export const notInUse = (): ApiError =>
  new ApiError(
    'AWSOrganizationsNotInUseException',
    'Your account is not a member of an organization.',
  )

export const accountNotFound = (): ApiError =>
  new ApiError('AccountNotFoundException', "You specified an account that doesn't exist.")

export const parentNotFound = (): ApiError =>
  new ApiError('ParentNotFoundException', "You specified parent that doesn't exist.")

export const unitNameTaken = (): ApiError =>
  new ApiError('DuplicateOrganizationalUnitException', 'An OU with the same name already exists.')

export const unitNotFound = (): ApiError =>
  new ApiError(
    'OrganizationalUnitNotFoundException',
    "You specified an organizational unit that doesn't exist.",
  )

/** Accounts of an installation have no address; AWS's tools expect one of the first account too. */
export const emailOfManagement = (accountId: string): string => `${accountId}@imago.invalid`

/** How deep units may be in each other. */
export const unitDepthMax = 5

export const unitNameLengthMax = 128

/** How many of them an organization has at most. */
export const unitsMax = 2000

/** Refuses a name that is too short or too long. */
export function checkLength(text: string, path: string, max: number): string {
  if (text.length >= 1 && text.length <= max) return text
  throw new ApiError('InvalidInputException', `The length of ${path} must be from 1 to ${max}.`, {
    reason: text.length < 1 ? 'MIN_LENGTH_EXCEEDED' : 'MAX_LENGTH_EXCEEDED',
  })
}

/** How many results come in a page. */
export const pageLimits = { min: 1, max: 20 } as const

export function readCount(count: number | undefined): number {
  const { min, max } = pageLimits
  if (count === undefined) return max
  if (count >= min && count <= max) return count
  throw new ApiError('InvalidInputException', `MaxResults must be from ${min} to ${max}.`, {
    reason: count < min ? 'MIN_VALUE_EXCEEDED' : 'MAX_VALUE_EXCEEDED',
  })
}
