/**
 * Finds out how a disk can be booted, from its partition table alone: one with an
 * EFI system partition boots by UEFI, a boot record with code in it by BIOS.
 */
import { type ReadableDisk, readPartitionTable } from './partition-table.ts'

export type BootMode = 'legacy-bios' | 'uefi' | 'uefi-preferred'

/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it lies on the disk. */
const efiSystem = '28732ac11ff8d211ba4b00a0c93ec93b'
/** 21686148-6449-6E6F-744E-656564454649, which GRUB puts its core image into. */
const biosBoot = '4861682149646e6f744e656564454649'
const mbrEfiType = 'ef'

/** The boot mode of a raw disk. A disk that says nothing of itself is taken for a BIOS one. */
export async function findBootMode(disk: ReadableDisk): Promise<BootMode> {
  const { kind, hasBootCode, partitions } = await readPartitionTable(disk)
  const has = (wanted: string) => partitions.some(({ type }) => type === wanted)
  const hasEfi = has(kind === 'gpt' ? efiSystem : mbrEfiType)
  if (!hasEfi) return 'legacy-bios'
  return hasBootCode || has(biosBoot) ? 'uefi-preferred' : 'uefi'
}
