/**
 * The superblock of ext2, ext3 and ext4: where everything else is. Every number in it may be
 * a lie, so that each is looked at before it is used.
 * https://docs.kernel.org/filesystems/ext4/globals.html
 */
import { DiskRefused } from './bounded-disk.ts'

export interface Superblock {
  readonly blockBytes: number
  readonly inodeBytes: number
  readonly inodes: number
  readonly inodesPerGroup: number
  readonly blocksPerGroup: number
  readonly firstDataBlock: number
  readonly descriptorBytes: number
  /** Groups of blocks with descriptors of their own begin with this one; none where it is undefined. */
  readonly firstMetaGroup: number | undefined
  readonly hasSparseSuperblocks: boolean
  /** The journal was not written back when the machine stopped, or goes on. */
  readonly needsRecovery: boolean
  readonly journalInode: number
}

export const superblockOffset = 1024
export const superblockBytes = 1024
const magic = 0xef53

const incompatible = {
  compression: 0x1,
  recover: 0x4,
  journalDevice: 0x8,
  metaGroups: 0x10,
  is64Bit: 0x80,
} as const
/** File types in directories, extents, multiple mounts, flexible groups, inodes for attributes, seeds, large directories, data in inodes, encrypted folders, folded names. */
const understood = 0x2 | 0x40 | 0x100 | 0x200 | 0x400 | 0x2000 | 0x4000 | 0x8000 | 0x10000 | 0x20000

/** Nothing where there is no such file system. */
export function readSuperblock(bytes: Buffer): Superblock | undefined {
  if (bytes.readUInt16LE(56) !== magic) return undefined
  const features = bytes.readUInt32LE(96)
  const has = (feature: number) => (features & feature) !== 0
  const known = Object.values(incompatible).reduce((all, one) => all | one, understood)
  if ((features & ~known) !== 0 || has(incompatible.compression | incompatible.journalDevice)) {
    throw new DiskRefused('its file system has features that are not read here')
  }
  const scale = bytes.readUInt32LE(24)
  const blockBytes = 1024 * 2 ** Math.min(scale, 7)
  const isFirstRevision = bytes.readUInt32LE(76) === 0
  const inodeBytes = isFirstRevision ? 128 : bytes.readUInt16LE(88)
  const descriptorBytes = has(incompatible.is64Bit) ? bytes.readUInt16LE(254) : 32
  const inodesPerGroup = bytes.readUInt32LE(40)
  const blocksPerGroup = bytes.readUInt32LE(32)
  const isSound =
    scale <= 6 &&
    isPowerOfTwo(inodeBytes) &&
    inodeBytes >= 128 &&
    inodeBytes <= blockBytes &&
    isPowerOfTwo(descriptorBytes) &&
    descriptorBytes >= 32 &&
    descriptorBytes <= blockBytes &&
    inodesPerGroup > 0 &&
    blocksPerGroup > 0
  if (!isSound) throw new DiskRefused('its file system is damaged: the superblock makes no sense')
  return {
    blockBytes,
    inodeBytes,
    inodes: bytes.readUInt32LE(0),
    inodesPerGroup,
    blocksPerGroup,
    firstDataBlock: bytes.readUInt32LE(20),
    descriptorBytes,
    firstMetaGroup: has(incompatible.metaGroups) ? bytes.readUInt32LE(260) : undefined,
    hasSparseSuperblocks: (bytes.readUInt32LE(100) & 0x1) !== 0,
    needsRecovery: has(incompatible.recover),
    journalInode: bytes.readUInt32LE(224),
  }
}

/** The block that has the descriptor of a group. */
export function descriptorBlock(superblock: Superblock, group: number): number {
  const { blockBytes, descriptorBytes, firstDataBlock, blocksPerGroup } = superblock
  const metaGroup = Math.floor(group / (blockBytes / descriptorBytes))
  const { firstMetaGroup } = superblock
  if (firstMetaGroup === undefined || metaGroup < firstMetaGroup) {
    return firstDataBlock + 1 + metaGroup
  }
  const first = metaGroup * (blockBytes / descriptorBytes)
  const hasSuperblock = !superblock.hasSparseSuperblocks || hasCopy(first)
  return firstDataBlock + first * blocksPerGroup + (hasSuperblock ? 1 : 0)
}

/** Copies of the superblock are in the groups 0 and 1, and those that are powers of 3, 5 or 7. */
function hasCopy(group: number): boolean {
  if (group <= 1) return true
  return [3, 5, 7].some((base) => {
    let power = base
    while (power < group) power *= base
    return power === group
  })
}

const isPowerOfTwo = (number: number): boolean => number > 0 && (number & (number - 1)) === 0
