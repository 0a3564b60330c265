/**
 * The journal of ext3 and ext4: what a machine had written there and not yet in its place. A
 * disk that was frozen while its machine ran on, or whose power was cut, is right only with it. Only
 * whole transactions count, as in the kernel; fast commits, which few file systems have, are left out.
 * https://docs.kernel.org/filesystems/ext4/journal.html
 */
import { DiskRefused } from './bounded-disk.ts'

/** Blocks of the file system that the journal has newer, by their numbers. */
export type Journalled = ReadonlyMap<number, NewerBlock>

export interface NewerBlock {
  /** Which block of the journal that is. */
  readonly index: number
  /** It begins as the journal's own blocks do, and was changed so that it is not taken for one. */
  readonly isEscaped: boolean
}

export interface JournalFile {
  readonly blockBytes: number
  /** How many blocks there are. */
  readonly blocks: number
  readonly readBlock: (index: number) => Promise<Buffer | undefined>
}

export const journalMagic = 0xc03b3998
const types = { descriptor: 1, commit: 2, superblockV1: 3, superblockV2: 4, revocation: 5 } as const
const features = { is64Bit: 0x2, checksumsV2: 0x8, checksumsV3: 0x10, fastCommits: 0x20 } as const
const tagFlags = { escaped: 0x1, sameUuid: 0x2, last: 0x8 } as const
const headerBytes = 12
const uuidBytes = 16
const fastCommitBlocksUsual = 256

interface Found {
  readonly block: number
  readonly newer: NewerBlock
  readonly sequence: number
}

/** Reads which blocks are newer in the journal. */
export async function readJournal(journal: JournalFile): Promise<Journalled> {
  const superblock = await blockAt(journal, 0)
  const type = superblock.readUInt32BE(4)
  const isOne = type === types.superblockV1 || type === types.superblockV2
  if (superblock.readUInt32BE(0) !== journalMagic || !isOne) {
    throw new DiskRefused('its file system is damaged: there is no journal where it should be')
  }
  const has = (feature: number) =>
    type === types.superblockV2 && (superblock.readUInt32BE(40) & feature) !== 0
  const first = superblock.readUInt32BE(20)
  const fast = has(features.fastCommits) ? superblock.readUInt32BE(84) || fastCommitBlocksUsual : 0
  const end = Math.min(superblock.readUInt32BE(16) - fast, journal.blocks)
  const start = superblock.readUInt32BE(28)
  if (start === 0) return new Map()
  if (first < 1 || start < first || start >= end) {
    throw new DiskRefused('its file system is damaged: its journal begins nowhere')
  }
  const next = (index: number, by = 1) => first + ((index - first + by) % (end - first))
  const revoked = new Map<number, number>()
  const found: Found[] = []
  let index = start
  let sequence = superblock.readUInt32BE(24)
  let open: { blocks: Found[]; revocations: number[] } = { blocks: [], revocations: [] }
  // Once around at most.
  for (let seen = 0; seen < end - first;) {
    const block = await blockAt(journal, index)
    if (block.readUInt32BE(0) !== journalMagic || block.readUInt32BE(8) !== sequence) break
    index = next(index)
    seen++
    const kind = block.readUInt32BE(4)
    if (kind === types.descriptor) {
      for (const { number, isEscaped } of tagsIn(block, has)) {
        open.blocks.push({ block: number, newer: { index, isEscaped }, sequence })
        index = next(index)
        seen++
      }
    } else if (kind === types.revocation) {
      open.revocations.push(...revocationsIn(block, has(features.is64Bit)))
    } else if (kind === types.commit) {
      for (const one of open.blocks) found.push(one)
      for (const number of open.revocations) revoked.set(number, sequence)
      open = { blocks: [], revocations: [] }
      sequence = (sequence + 1) >>> 0
    } else break
  }
  const newest = new Map<number, NewerBlock>()
  for (const { block, newer, sequence: at } of found) {
    if ((revoked.get(block) ?? -1) < at) newest.set(block, newer)
  }
  return newest
}

/** Puts back how a block begins. */
export function unescape(block: Buffer, { isEscaped }: NewerBlock): Buffer {
  if (isEscaped) block.writeUInt32BE(journalMagic, 0)
  return block
}

function* tagsIn(
  block: Buffer,
  has: (feature: number) => boolean,
): Generator<{ readonly number: number; readonly isEscaped: boolean }> {
  const isWide = has(features.is64Bit)
  const isV3 = has(features.checksumsV3)
  const older = has(features.checksumsV2) ? 10 : 8
  const tagBytes = isV3 ? 16 : older + (isWide ? 4 : 0)
  for (let at = headerBytes; at + tagBytes <= block.length;) {
    const flags = isV3 ? block.readUInt32BE(at + 4) : block.readUInt16BE(at + 6)
    const high = isWide ? block.readUInt32BE(at + 8) : 0
    const isEscaped = (flags & tagFlags.escaped) !== 0
    yield { number: block.readUInt32BE(at) + high * 2 ** 32, isEscaped }
    if (flags & tagFlags.last) return
    at += tagBytes + (flags & tagFlags.sameUuid ? 0 : uuidBytes)
  }
}

function revocationsIn(block: Buffer, isWide: boolean): readonly number[] {
  const bytes = isWide ? 8 : 4
  const end = Math.min(block.readUInt32BE(headerBytes), block.length)
  const found: number[] = []
  for (let at = headerBytes + 4; at + bytes <= end; at += bytes) {
    found.push(isWide ? Number(block.readBigUInt64BE(at)) : block.readUInt32BE(at))
  }
  return found
}

async function blockAt(journal: JournalFile, index: number): Promise<Buffer> {
  return (await journal.readBlock(index)) ?? Buffer.alloc(journal.blockBytes)
}
