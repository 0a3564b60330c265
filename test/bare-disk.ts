/**
 * A disk that boots in an instant and needs no operating system: one sector of
 * code that counts, writes the count to one place and then to another, far from
 * it, and powers off when the power button is pressed. So a point in time has two
 * counts that differ by one at most, and a later one never has a lower count.
 */
import { open } from 'node:fs/promises'

const sectorBytes = 512
const sizeBytes = 4 * 2 ** 20

/** 16 bit code at 0x7c00. The count is at 0x8000. */
const code = [
  // No segments, a stack; nobody waits for interrupt 9, of the power button.
  '31c0 8ed8 8ec0 8ed0 bc007c e4a1 0c02 e6a1',
  // The power button shall be noted: PM1_EN at 0x602.
  'ba0206 b80001 ef',
  // Go on from the count that is on the disk.
  'be597c b80042 b280 cd13',
  // Is it pressed (PM1_STS at 0x600)?
  'ba0006 ed f6c401 7524',
  // Count, write to both places, wait 20 ms, again.
  '66ff060080 be597c e81100 be697c e80b00 b486 31c9 ba204e cd15 ebdb',
  // Write to the place in `si`.
  'b280 b80043 cd13 c3',
  // Power off: PM1_CNT at 0x604.
  'ba0406 b80020 ef f4 ebfd',
  // One sector from 0x8000, at 512 bytes, and at 512 bytes after the first MiB.
  '1000 0100 0080 0000 0100000000000000',
  '1000 0100 0080 0000 0108000000000000',
].join('')

/** Writes the disk into a new sparse file. `mark` is kept in a block of its own. */
export async function writeBareDisk(path: string, mark: string): Promise<void> {
  await using file = await open(path, 'w')
  await file.truncate(sizeBytes)
  await file.write(Buffer.from(code.replaceAll(' ', ''), 'hex'), 0)
  await file.write(Buffer.of(0x55, 0xaa), 0, 2, sectorBytes - 2)
  const text = Buffer.from(mark)
  await file.write(text, 0, text.length, sizeBytes / 2)
}

/** The two counts of such a disk. */
export async function countsOf(
  read: (offset: number, length: number) => Promise<Uint8Array>,
): Promise<readonly [number, number]> {
  const at = async (offset: number) => Buffer.from(await read(offset, 4)).readUInt32LE()
  return [await at(sectorBytes), await at(2 ** 20 + sectorBytes)]
}
