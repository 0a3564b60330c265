/**
 * Finds out what a disk runs: Windows, where it has a file system of Windows (NTFS)
 * and no partition of Linux beside it. All else is Linux to EC2, as is a blank disk.
 */
import { readAt, type ReadableDisk, readPartitionTable } from './partition-table.ts'

/** 0FC63DAF-8483-4772-8E79-3D69D8477DE4, and the root partitions of x86-64 and ARM 64. */
const linuxTypes: readonly string[] = [
  'af3dc60f838472478e793d69d8477de4',
  'e3bc684fcde8b14d96e7fbcaf984b709',
  '45b021b9f01dc341af444c6f280d3fae',
  // In a boot record: swap, a file system, LVM.
  '82',
  '83',
  '8e',
]
const sectorBytes = 512

export async function findPlatform(disk: ReadableDisk): Promise<'windows' | undefined> {
  const { partitions } = await readPartitionTable(disk)
  if (partitions.some(({ type }) => linuxTypes.includes(type))) return undefined
  for (const { startBytes } of partitions) {
    const first = await readAt(disk, startBytes, sectorBytes)
    if (first.toString('latin1', 3, 11) === 'NTFS    ') return 'windows'
  }
  return undefined
}
