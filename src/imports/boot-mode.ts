/**
 * Finds out how a disk can be booted, from its partition table alone: a GPT with
 * an EFI system partition boots by UEFI, a boot record with code in it by BIOS.
 * UEFI Specification 2.10, 5.2 and 5.3.
 */
import type { FileHandle } from 'node:fs/promises'

export type BootMode = 'legacy-bios' | 'uefi' | 'uefi-preferred'

const sectorBytes = 512
/** C12A7328-F81F-11D2-BA4B-00A0C93EC93B as it lies on the disk. */
const efiSystem = Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex')
/** 21686148-6449-6E6F-744E-656564454649, which GRUB puts its core image into. */
const biosBoot = Buffer.from('4861682149646e6f744e656564454649', 'hex')
const entriesMax = 128
const mbrEfiType = 0xef

/** The boot mode of a raw disk. A disk that says nothing of itself is taken for a BIOS one. */
export async function findBootMode(disk: FileHandle): Promise<BootMode> {
  const mbr = await readAt(disk, 0, sectorBytes)
  const header = await readAt(disk, sectorBytes, sectorBytes)
  const hasMbr = mbr.readUInt16LE(510) === 0xaa55
  const hasBootCode = hasMbr && mbr.subarray(0, 440).some((byte) => byte !== 0)
  if (header.toString('latin1', 0, 8) !== 'EFI PART') {
    const types = [0, 1, 2, 3].map((index) => mbr[446 + 16 * index + 4])
    const hasEfi = hasMbr && types.includes(mbrEfiType)
    if (!hasEfi) return 'legacy-bios'
    return hasBootCode ? 'uefi-preferred' : 'uefi'
  }
  const types = await readPartitionTypes(disk, header)
  const hasEfi = types.some((type) => type.equals(efiSystem))
  const hasBios = hasBootCode || types.some((type) => type.equals(biosBoot))
  if (hasEfi && hasBios) return 'uefi-preferred'
  return hasEfi ? 'uefi' : 'legacy-bios'
}

async function readPartitionTypes(disk: FileHandle, header: Buffer): Promise<Buffer[]> {
  const start = Number(header.readBigUInt64LE(72)) * sectorBytes
  // The disk is hostile: no more is read than a table of the usual size has.
  const count = Math.min(header.readUInt32LE(80), entriesMax)
  const entryBytes = Math.min(header.readUInt32LE(84), sectorBytes)
  if (entryBytes < 128 || !Number.isSafeInteger(start)) return []
  const table = await readAt(disk, start, count * entryBytes)
  return Array.from({ length: count }, (_, index) =>
    table.subarray(index * entryBytes, index * entryBytes + 16),
  )
}

/** What is past the end reads as zeros. */
async function readAt(disk: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  await disk.read(buffer, 0, length, position)
  return buffer
}
