/**
 * What the lists give out and callers bring back: which block is meant, and where the
 * next page begins. Each is vouched for by `Seal`, so nobody can make one, or
 * use one with another snapshot or block than it was given out for.
 *
 *     block token: 1, expiry (4 bytes, seconds), digest (32), seal (20)
 *     page token:  2, expiry (4 bytes, seconds), next index (4), seal (18)
 */
import { timingSafeEqual } from 'node:crypto'
import { type Digest, parseDigest } from '../lib/digest.ts'
import { bytesOfDigest, invalid } from './direct-snapshot.ts'

/** 32 bytes that only this installation makes of a text. */
export type Seal = (text: string) => Uint8Array

export interface BlockPlace {
  readonly snapshotId: string
  readonly index: number
}

const headBytes = { block: 37, page: 9 } as const

export function formatBlockToken(
  seal: Seal,
  { snapshotId, index }: BlockPlace,
  { digest, expiresAt }: { readonly digest: Digest; readonly expiresAt: Date },
): string {
  const head = Buffer.alloc(headBytes.block)
  head.writeUInt8(1)
  head.writeUInt32BE(secondsOf(expiresAt), 1)
  bytesOfDigest(digest).copy(head, 5)
  return withSeal(seal, `${snapshotId}/${index}`, head, 20)
}

/** The digest of the block that the token was given out for. */
export function readBlockToken(
  seal: Seal,
  token: string,
  { snapshotId, index, now }: BlockPlace & { readonly now: Date },
): Digest {
  const head = readSealed(seal, `${snapshotId}/${index}`, token, headBytes.block)
  if (head?.readUInt8() !== 1 || head.readUInt32BE(1) < secondsOf(now)) {
    throw invalid('INVALID_BLOCK_TOKEN', 'The block token is not valid, or it has expired.')
  }
  return parseDigest(`sha256:${head.toString('hex', 5)}`)
}

export interface PageOf {
  /** What is listed: the page of one list is none of another. */
  readonly list: string
}

export function formatPageToken(
  seal: Seal,
  { list }: PageOf,
  { next, expiresAt }: { readonly next: number; readonly expiresAt: Date },
): string {
  const head = Buffer.alloc(headBytes.page)
  head.writeUInt8(2)
  head.writeUInt32BE(secondsOf(expiresAt), 1)
  head.writeUInt32BE(next, 5)
  return withSeal(seal, list, head, 18)
}

/** The block index that the next page begins with. */
export function readPageToken(
  seal: Seal,
  token: string,
  { list, now }: PageOf & { readonly now: Date },
): number {
  const head = readSealed(seal, list, token, headBytes.page)
  if (head?.readUInt8() === 2 && head.readUInt32BE(1) >= secondsOf(now)) return head.readUInt32BE(5)
  throw invalid('INVALID_PAGE_TOKEN', 'The page token is not valid, or it has expired.')
}

const secondsOf = (date: Date): number => Math.floor(date.getTime() / 1000)

function withSeal(seal: Seal, scope: string, head: Buffer, length: number): string {
  const mark = seal(`${head.toString('hex')} ${scope}`).subarray(0, length)
  return Buffer.concat([head, mark]).toString('base64')
}

/** What stands before the seal, where the seal is ours; it says itself how long it is. */
function readSealed(
  seal: Seal,
  scope: string,
  token: string,
  headLength: number,
): Buffer | undefined {
  const bytes = Buffer.from(token, 'base64')
  const head = bytes.subarray(0, headLength)
  const length = headLength === headBytes.block ? 20 : 18
  // There is one way to write it: what only reads the same is not what was given out.
  if (bytes.length !== headLength + length || bytes.toString('base64') !== token) return undefined
  const mark = Buffer.from(seal(`${head.toString('hex')} ${scope}`)).subarray(0, length)
  return timingSafeEqual(mark, bytes.subarray(headLength)) ? head : undefined
}
