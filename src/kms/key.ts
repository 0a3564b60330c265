/**
 * A key of the Key Management Service. Its material never leaves the service; what
 * it may be used for is what its state says.
 *
 *   enabled ⇄ disabled ── schedule ──▶ pending-deletion ── the day comes ──▶ erased
 *       ╰──────────────── schedule ─────────╯  ╰── cancel ──▶ disabled
 *
 * An erased key has no material any more; its row goes as soon as no file of the
 * database has that either. To callers it does not exist.
 */
import { ApiError } from '../lib/errors.ts'
import type { Tag } from '../tags/tag.ts'

export type KeyState = 'enabled' | 'disabled' | 'pending-deletion'

/** Where a call looks for keys. */
export interface Place {
  readonly accountId: string
  readonly region: string
}

export interface Key extends Place {
  /** A UUID. */
  readonly id: string
  /** Keys that AWS manages are for its services alone: callers can only look at them. */
  readonly manager: 'AWS' | 'CUSTOMER'
  readonly description: string
  readonly state: KeyState
  /** When a key that is pending deletion goes. */
  readonly deletesAt: Date | undefined
  readonly createdAt: Date
  readonly tags: readonly Tag[]
  /** Its policy, where it was given one. */
  readonly policy?: string
}

export const keysMax = 100_000
export const aliasesOfKeyMax = 50
export const deletionDays = { min: 7, max: 30 } as const

const dayMs = 86_400_000

export const deletionDate = (now: Date, days: number): Date =>
  new Date(now.getTime() + days * dayMs)

export const keyArn = ({ accountId, region, id }: Place & Pick<Key, 'id'>): string =>
  `arn:aws:kms:${region}:${accountId}:key/${id}`

/** A random UUID of 16 random bytes. */
export function formatKeyId(random: Uint8Array): string {
  const bytes = Buffer.from(random)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Refuses to encrypt or decrypt with a key that is not enabled. */
export function checkUsable(key: Key): Key {
  checkNotPending(key)
  if (key.state === 'enabled') return key
  throw new ApiError('DisabledException', `${keyArn(key)} is disabled.`)
}

/** Refuses to change a key that is about to go. */
export function checkNotPending(key: Key): Key {
  if (key.state !== 'pending-deletion') return key
  throw invalidState(`${keyArn(key)} is pending deletion.`)
}

export const invalidState = (message: string): ApiError =>
  new ApiError('KMSInvalidStateException', message)

export const validation = (message: string): ApiError =>
  new ApiError('ValidationException', message)

/** What AWS says of a member that is not as its model has it. The value is said unless it is secret. */
export const constraint = (path: string, rule: string, value?: string | number): ApiError =>
  validation(
    `1 validation error detected: Value ${value === undefined ? '' : `'${String(value).slice(0, 100)}' `}at ` +
      `'${path}' failed to satisfy constraint: Member must ${rule}`,
  )

export const unsupported = (what: string): ApiError =>
  new ApiError('UnsupportedOperationException', `${what} is not supported.`)
