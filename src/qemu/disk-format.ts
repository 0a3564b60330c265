/**
 * Which format a disk image from outside is in, by its own bytes, and whether it
 * may be opened at all. QEMU is never asked to guess, and sees no image that would
 * have it open another file: a backing file, a data file, an extent elsewhere.
 */
import { open } from 'node:fs/promises'
import { readQcow2Header } from './qcow2.ts'

export type DiskFormat = 'raw' | 'qcow2' | 'vmdk' | 'vpc' | 'vhdx'

/** The image is not one that we take. The message says why. */
export class ImageRefused extends Error {
  override readonly name = 'ImageRefused'
}

const sectorBytes = 512
const vhdCookie = 'conectix'
const vhdTypeOffset = 60
const vhdDifferencing = 4
const vmdkDescriptorBytesMax = 64 * 1024

/** Tells the format of the file; throws `ImageRefused`. */
export async function recogniseDisk(path: string): Promise<DiskFormat> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  if (size === 0) throw new ImageRefused('the file is empty')
  const at = async (offset: number, length: number): Promise<Buffer> => {
    const bytes = Buffer.alloc(length)
    if (offset >= 0 && offset < size) await file.read(bytes, 0, length, offset)
    return bytes
  }
  const head = await at(0, sectorBytes)
  const starts = (text: string): boolean => head.subarray(0, text.length).equals(Buffer.from(text))

  if (head.readUInt32BE(0) === 0x514649fb) {
    await checkQcow2(path)
    return 'qcow2'
  }
  if (starts('KDMV')) {
    await checkVmdk(head, at)
    return 'vmdk'
  }
  if (starts('vhdxfile')) return 'vhdx'
  const tail = await at(size - sectorBytes, sectorBytes)
  for (const footer of [head, tail]) {
    if (footer.toString('latin1', 0, vhdCookie.length) !== vhdCookie) continue
    if (footer.readUInt32BE(vhdTypeOffset) === vhdDifferencing) {
      throw new ImageRefused('a differencing VHD needs its parent')
    }
    return 'vpc'
  }
  if (starts('# Disk DescriptorFile') || starts('COWD')) {
    throw new ImageRefused('a VMDK must be a single file, sparse or stream-optimized')
  }
  if (head.readUInt32LE(64) === 0xbeda107f) throw new ImageRefused('VDI is not supported')
  return 'raw'
}

async function checkQcow2(path: string): Promise<void> {
  const header = await readQcow2Header(path).catch((error: unknown) => {
    throw new ImageRefused('the qcow2 header is damaged', { cause: error })
  })
  if (!header || header.version < 2 || header.version > 3) {
    throw new ImageRefused('qcow2 must be of version 2 or 3')
  }
  if (header.backingPath !== undefined) throw new ImageRefused('the image needs a backing file')
  if (header.hasDataFile) throw new ImageRefused('the image keeps its data in another file')
  if (header.isEncrypted) throw new ImageRefused('the image is encrypted')
}

/** The sparse extent's header: capacity at 12, the descriptor's place and size at 28 and 36, in sectors. */
async function checkVmdk(
  head: Buffer,
  at: (offset: number, length: number) => Promise<Buffer>,
): Promise<void> {
  // Without a capacity, the descriptor would lead QEMU to files of its choice.
  if (head.readBigUInt64LE(12) === 0n) throw new ImageRefused('the VMDK has no size of its own')
  const offset = Number(head.readBigUInt64LE(28)) * sectorBytes
  const length = Number(head.readBigUInt64LE(36)) * sectorBytes
  if (length > vmdkDescriptorBytesMax) throw new ImageRefused('the VMDK descriptor is too long')
  if (offset === 0) return
  const descriptor = (await at(offset, length)).toString('latin1')
  const type = /createType\s*=\s*"?([A-Za-z0-9]+)/i.exec(descriptor)?.[1]
  if (type !== 'monolithicSparse' && type !== 'streamOptimized') {
    throw new ImageRefused(`a VMDK must be a single file, not ${type ?? 'of no type'}`)
  }
  const parent = /parentCID\s*=\s*([0-9a-f]+)/i.exec(descriptor)?.[1]
  const hasParent = parent !== undefined && parent.toLowerCase() !== 'ffffffff'
  if (hasParent || /parentFileNameHint/i.test(descriptor)) {
    throw new ImageRefused('the VMDK needs its parent')
  }
}
