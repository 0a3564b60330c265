/**
 * Credentials that expire. Nothing is kept of them: the token has in it, sealed, whose they
 * are and until when, and opens only beside the key that it was given with. What their
 * holder may do is read when they are used, so they end with the role or user.
 */
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { parseJson } from '../lib/json.ts'
import type { RandomBytes, Sealer } from '../lib/seal.ts'
import type { ContextEntries } from '../policies/context.ts'
import type { Tag } from '../tags/tag.ts'
import { newSecretText } from './entity.ts'

export interface Session {
  readonly accountId: string
  readonly secret: string
  /** The role or the user. */
  readonly entityId: string
  /** What the caller has called it; a user's session has no name. */
  readonly name: string | undefined
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  /** The policies that limit it further, where any do: a document, and the ARNs of others. */
  readonly policy: string | undefined
  readonly policyArns: readonly string[]
  /** What the one who began it has said of it. */
  readonly tags?: readonly SessionTag[]
  /** Where it was handed out, for a session of an instance. */
  readonly instance?: InstanceOrigin
}

/** A transitive one goes along to the sessions that are begun with this one. */
export interface SessionTag extends Tag {
  readonly isTransitive: boolean
}

/** The instance that the credentials are of, and how it came by them. */
export interface InstanceOrigin {
  readonly id: Id<'instance'>
  readonly region: string
  readonly vpcId: string
  readonly privateIp: string
  /** By which version of the metadata service. */
  readonly delivery: '1.0' | '2.0'
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/iam-roles-for-amazon-ec2.html */
export function keysOfInstance(
  accountId: string,
  { id, region, vpcId, privateIp, delivery }: InstanceOrigin,
): ContextEntries {
  return {
    'ec2:RoleDelivery': delivery,
    'ec2:SourceInstanceARN': `arn:aws:ec2:${region}:${accountId}:instance/${id}`,
    'aws:EC2InstanceSourceVPC': vpcId,
    'aws:EC2InstanceSourcePrivateIPv4': privateIp,
  }
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const accountLetters = 8

/** `ASIA…`, with the number of the account in it, as AWS has it. */
function newSessionKeyId(accountId: string, randomBytes: RandomBytes): string {
  let rest = Number(accountId)
  let account = ''
  for (let count = 0; count < accountLetters; count++) {
    account = (letters[rest % 32] ?? '') + account
    rest = Math.floor(rest / 32)
  }
  return `ASIA${account}${Array.from(randomBytes(8), (byte) => letters[byte % 32]).join('')}`
}

/** The account of the key of a session; nothing where it is no such key. */
export function accountOfSessionKey(keyId: string): string | undefined {
  const account = /^ASIA([A-Z2-7]{8})[A-Z2-7]{8}$/.exec(keyId)?.[1]
  if (account === undefined) return undefined
  const number = Array.from(account).reduce((sum, letter) => sum * 32 + letters.indexOf(letter), 0)
  return String(number).padStart(12, '0')
}

const contextOf = (keyId: string): string => `sts/session/${keyId}`

/** Makes the credentials of a session, as STS answers them. */
export function makeSession(
  session: Omit<Session, 'secret'>,
  { randomBytes, sealer }: { readonly randomBytes: RandomBytes; readonly sealer: Sealer },
) {
  const keyId = newSessionKeyId(session.accountId, randomBytes)
  const secret = newSecretText(randomBytes)
  const sealed = sealer.seal(Buffer.from(JSON.stringify({ ...session, secret })), contextOf(keyId))
  return {
    AccessKeyId: keyId,
    SecretAccessKey: secret,
    SessionToken: Buffer.from(sealed).toString('base64'),
    Expiration: new Date(session.expiresAtMs),
  }
}

/** The session of a key and its token; nothing where they do not belong together. */
export function openSession(keyId: string, token: string, sealer: Sealer): Session | undefined {
  try {
    const opened = sealer.open(Buffer.from(token, 'base64'), contextOf(keyId))
    return parseJson(Buffer.from(opened).toString()) as Session
  } catch {
    // Of another installation, of another key, or made up.
    return undefined
  }
}

/** Refuses what has expired. */
export function requireFresh({ expiresAtMs }: Session, now: Date): void {
  if (now.getTime() < expiresAtMs) return
  throw new ApiError('ExpiredToken', 'The security token included in the request is expired')
}

/** Seconds that a session may last. */
export function checkDuration(seconds: number, secondsMax: number, tooLong: string): number {
  const secondsMin = 900
  if (seconds < secondsMin) {
    throw new ApiError(
      'ValidationError',
      `1 validation error detected: Value '${seconds}' at 'durationSeconds' failed to satisfy ` +
        `constraint: Member must have value greater than or equal to ${secondsMin}`,
    )
  }
  if (seconds > secondsMax) throw new ApiError('ValidationError', tooLong)
  return seconds
}
