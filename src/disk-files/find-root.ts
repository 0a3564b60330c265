/** Finds the file system on a disk that an operating system is on. */
import { readPartitionTable } from '../imports/partition-table.ts'
import { type BoundedDisk, DiskRefused } from './bounded-disk.ts'
import { Ext } from './ext.ts'

/** What else a disk may have, told by bytes at their place. */
const others: readonly { readonly name: string; readonly at: number; readonly bytes: string }[] = [
  { name: 'XFS', at: 0, bytes: 'XFSB' },
  { name: 'Btrfs', at: 0x10040, bytes: '_BHRfS_M' },
  { name: 'LVM', at: 512, bytes: 'LABELONE' },
  { name: 'LUKS', at: 0, bytes: 'LUKS\u00BA\u00BE' },
  { name: 'NTFS', at: 3, bytes: 'NTFS    ' },
  { name: 'SquashFS', at: 0, bytes: 'hsqs' },
]
const fileSystemsMax = 128

/**
 * The first file system that has one of the paths as a file. Throws `DiskRefused` where there
 * is none, and says what there is instead.
 */
export async function findRoot(disk: BoundedDisk, paths: readonly string[]): Promise<Ext> {
  const table = {
    read: async (buffer: Buffer, offset: number, length: number, position: number) =>
      (await disk.read(position, length)).copy(buffer, offset),
  }
  const { partitions } = await readPartitionTable(table)
  const starts = [...new Set([0, ...partitions.map(({ startBytes }) => startBytes)])]
  const seen = new Set<string>()
  let refused: DiskRefused | undefined
  for (const start of starts.slice(0, fileSystemsMax)) {
    try {
      const ext = await Ext.open(disk, start)
      if (ext && (await hasOne(ext, paths))) return ext
      if (!ext) for (const name of await othersAt(disk, start)) seen.add(name)
    } catch (error) {
      if (!(error instanceof DiskRefused)) throw error
      refused ??= error
    }
  }
  if (refused) throw refused
  const names = [...seen].toSorted().join(', ')
  throw new DiskRefused(
    names === ''
      ? 'no operating system was found on it'
      : `no operating system was found on it that is on ext2, ext3 or ext4: there is ${names}`,
  )
}

async function hasOne(ext: Ext, paths: readonly string[]): Promise<boolean> {
  for (const path of paths) if (await ext.hasFile(path)) return true
  return false
}

async function othersAt(disk: BoundedDisk, start: number): Promise<readonly string[]> {
  const found: string[] = []
  for (const { name, at, bytes } of others) {
    const read = await disk.read(start + at, bytes.length)
    if (read.equals(Buffer.from(bytes, 'latin1'))) found.push(name)
  }
  return found
}
