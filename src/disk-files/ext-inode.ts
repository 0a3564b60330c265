/** An inode of ext2, ext3 and ext4, and which blocks its content is in. */
import { DiskRefused } from './bounded-disk.ts'

export type InodeKind = 'file' | 'folder' | 'link' | 'other'

export interface Inode {
  readonly number: number
  readonly kind: InodeKind
  readonly sizeBytes: number
  readonly hasExtents: boolean
  /** What it has of content is in the inode itself. */
  readonly isInline: boolean
  readonly isEncrypted: boolean
  /** The roots of its blocks, or its content. */
  readonly body: Buffer
}

type ReadBlock = (number: number) => Promise<Buffer>

const kinds: Readonly<Record<number, InodeKind>> = { 4: 'folder', 8: 'file', 10: 'link' }
const flags = { encrypted: 0x800, extents: 0x80000, inline: 0x10000000 } as const
const bodyAt = 40
const bodyBytes = 60
const extentMagic = 0xf30a
const entryBytes = 12
const depthMax = 5
/** An extent that is longer has blocks that were never written, and read as zeros. */
const writtenBlocksMax = 32_768

export function readInode(number: number, bytes: Buffer): Inode {
  const bits = bytes.readUInt32LE(32)
  const kind = kinds[bytes.readUInt16LE(0) >> 12] ?? 'other'
  return {
    number,
    kind,
    sizeBytes: bytes.readUInt32LE(4) + bytes.readUInt32LE(108) * 2 ** 32,
    hasExtents: (bits & flags.extents) !== 0,
    isInline: (bits & flags.inline) !== 0,
    isEncrypted: (bits & flags.encrypted) !== 0,
    body: Buffer.from(bytes.subarray(bodyAt, bodyAt + bodyBytes)),
  }
}

/** The block that a part of the content is in; nothing where that is a hole. */
export async function blockOf(
  inode: Inode,
  index: number,
  { blockBytes, readBlock }: { readonly blockBytes: number; readonly readBlock: ReadBlock },
): Promise<number | undefined> {
  return inode.hasExtents
    ? await inExtents(inode.body, index, readBlock)
    : await inPointers(inode.body, index, blockBytes / 4, readBlock)
}

/** One way down from the root: what others it could lead to is not looked at. */
async function inExtents(
  root: Buffer,
  index: number,
  readBlock: ReadBlock,
): Promise<number | undefined> {
  let node = root
  for (let depth = node.readUInt16LE(6); ; depth--) {
    const count = node.readUInt16LE(2)
    const isSound =
      node.readUInt16LE(0) === extentMagic &&
      node.readUInt16LE(6) === depth &&
      depth >= 0 &&
      depth <= depthMax &&
      (count + 1) * entryBytes <= node.length
    if (!isSound) throw new DiskRefused('its file system is damaged: an extent makes no sense')
    let at = 0
    for (let entry = 1; entry <= count; entry++) {
      if (node.readUInt32LE(entry * entryBytes) > index) break
      at = entry * entryBytes
    }
    if (at === 0) return undefined
    if (depth > 0) {
      node = await readBlock(node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32)
      continue
    }
    const within = index - node.readUInt32LE(at)
    const length = node.readUInt16LE(at + 4)
    if (length > writtenBlocksMax || within >= length) return undefined
    return node.readUInt32LE(at + 8) + node.readUInt16LE(at + 6) * 2 ** 32 + within
  }
}

/** Twelve blocks, then one of pointers, one of those, and one of those. */
async function inPointers(
  root: Buffer,
  index: number,
  perBlock: number,
  readBlock: ReadBlock,
): Promise<number | undefined> {
  const direct = 12
  if (index < direct) return root.readUInt32LE(index * 4) || undefined
  let rest = index - direct
  for (let levels = 1; levels <= 3; levels++) {
    const covered = perBlock ** levels
    if (rest >= covered) {
      rest -= covered
      continue
    }
    let block = root.readUInt32LE((direct + levels - 1) * 4)
    for (let level = levels - 1; level >= 0 && block !== 0; level--) {
      const pointer = Math.floor(rest / perBlock ** level) % perBlock
      block = (await readBlock(block)).readUInt32LE(pointer * 4)
    }
    return block || undefined
  }
  return undefined
}
