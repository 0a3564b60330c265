/**
 * A disk that sets itself up as Windows does after Sysprep, in an instant: one sector of code
 * that at its first start notes that it was there and powers off, and at every later one runs
 * until the power button is pressed. Its partition says that a file system of Windows is on it.
 */
import { open } from 'node:fs/promises'

const sectorBytes = 512
const partitionSector = 4096

/** 16 bit code at 0x7c00. The note is the first byte of the second sector, which is read to 0x8000. */
const code = [
  // No segments, a stack; nobody waits for interrupt 9, of the power button.
  '31c0 8ed8 8ec0 8ed0 bc007c e4a1 0c02 e6a1',
  // The power button shall be noted: PM1_EN at 0x602.
  'ba0206 b80001 ef',
  // Has it been here before?
  'be567c b80042 b280 cd13 803e008052 7419',
  // No: it has now.
  'c606008052 be567c b80043 b280 cd13',
  // Power off: PM1_CNT at 0x604.
  'ba0406 b80020 ef f4 ebfd',
  // Yes: until the button is pressed (PM1_STS at 0x600), every 20 ms.
  'ba0006 ed f6c401 75ed b486 31c9 ba204e cd15 ebec',
  // One sector from 0x8000, at 512 bytes.
  '1000 0100 0080 0000 0100000000000000',
].join('')

export async function writeSelfPreparingDisk(path: string): Promise<void> {
  await using file = await open(path, 'w')
  await file.truncate(2 * partitionSector * sectorBytes)
  const first = Buffer.alloc(sectorBytes)
  first.write(code.replaceAll(' ', ''), 'hex')
  first[446 + 4] = 0x07
  first.writeUInt32LE(partitionSector, 446 + 8)
  first.writeUInt32LE(partitionSector, 446 + 12)
  first.writeUInt16LE(0xaa55, sectorBytes - 2)
  await file.write(first, 0, sectorBytes, 0)
  await file.write(Buffer.from('NTFS    '), 0, 8, partitionSector * sectorBytes + 3)
}
