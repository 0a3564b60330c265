/** To whom a snapshot is given: an account by its number, or everyone. */
import { ApiError } from '../lib/errors.ts'

/** An account's number, or `all`. */
export type SnapshotPermission = string

export const everyone = 'all'

interface Item {
  readonly UserId?: string | undefined
  readonly Group?: string | undefined
}

/** Reads `CreateVolumePermission.Add.N` and its like. Throws on one that names nobody. */
export function readSnapshotPermissions(items: readonly Item[] = []): SnapshotPermission[] {
  return items.flatMap(({ UserId, Group }) => [
    ...(UserId ? [parseUserId(UserId)] : []),
    ...(Group ? [parseGroup(Group)] : []),
  ])
}

export type SnapshotAttribute = 'createVolumePermission' | 'productCodes'

export function checkSnapshotAttribute(name: string | undefined): SnapshotAttribute {
  if (name === 'createVolumePermission' || name === 'productCodes') return name
  throw new ApiError('InvalidRequest', 'The request received was invalid')
}

/** Reads an account's number, or the one word that may stand instead. */
export function parseGrantee(text: string, word: string): string {
  return text === word ? text : parseUserId(text)
}

export function viewSnapshotPermission(permission: SnapshotPermission): {
  readonly UserId?: string
  readonly Group?: 'all'
} {
  return permission === everyone ? { Group: everyone } : { UserId: permission }
}

function parseUserId(text: string): string {
  // People paste numbers as the console shows them.
  const digits = text.replaceAll('-', '')
  if (/^\d{12}$/.test(digits)) return digits
  throw new ApiError('InvalidUserID.Malformed', `Invalid user id: "${text}"`)
}

function parseGroup(text: string): string {
  if (text === everyone) return text
  throw new ApiError('InvalidParameterValue', `Invalid value '${text}' for group.`)
}
