/**
 * The partitions of a disk, by its GPT or, where there is none, its boot record. A
 * disk is hostile: no more is read than a table of the usual size has.
 * UEFI Specification 2.10, 5.2 and 5.3.
 */

/** A file, or a disk in the block store. What is past the end reads as zeros. */
export interface ReadableDisk {
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<unknown>
}

export interface Partition {
  /** A GUID as it lies on the disk, or the number that a boot record has, in hexadecimal. */
  readonly type: string
  readonly startBytes: number
}

export interface PartitionTable {
  readonly kind: 'gpt' | 'mbr' | 'none'
  /** Whether a BIOS would find something to run. */
  readonly hasBootCode: boolean
  readonly partitions: readonly Partition[]
}

const sectorBytes = 512
const entriesMax = 128

export async function readPartitionTable(disk: ReadableDisk): Promise<PartitionTable> {
  const mbr = await readAt(disk, 0, sectorBytes)
  const header = await readAt(disk, sectorBytes, sectorBytes)
  const hasMbr = mbr.readUInt16LE(510) === 0xaa55
  const hasBootCode = hasMbr && mbr.subarray(0, 440).some((byte) => byte !== 0)
  if (header.toString('latin1', 0, 8) === 'EFI PART') {
    return { kind: 'gpt', hasBootCode, partitions: await readEntries(disk, header) }
  }
  if (!hasMbr) return { kind: 'none', hasBootCode, partitions: [] }
  const partitions = [446, 462, 478, 494].map((at) => ({
    type: mbr.toString('hex', at + 4, at + 5),
    startBytes: mbr.readUInt32LE(at + 8) * sectorBytes,
  }))
  return { kind: 'mbr', hasBootCode, partitions: partitions.filter(({ type }) => type !== '00') }
}

async function readEntries(disk: ReadableDisk, header: Buffer): Promise<readonly Partition[]> {
  const start = Number(header.readBigUInt64LE(72)) * sectorBytes
  const count = Math.min(header.readUInt32LE(80), entriesMax)
  const entryBytes = Math.min(header.readUInt32LE(84), sectorBytes)
  if (entryBytes < 128 || !Number.isSafeInteger(start)) return []
  const table = await readAt(disk, start, count * entryBytes)
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * entryBytes, (index + 1) * entryBytes)
    return {
      type: entry.toString('hex', 0, 16),
      startBytes: Number(entry.readBigUInt64LE(32)) * sectorBytes,
    }
  }).filter(({ type, startBytes }) => !/^0+$/.test(type) && Number.isSafeInteger(startBytes))
}

export async function readAt(
  disk: ReadableDisk,
  position: number,
  length: number,
): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await disk.read(buffer, 0, length, position)
  return buffer
}
