/**
 * The archive that a disk lies in: a tar of one plain file, as GNU's tar writes it.
 * https://www.gnu.org/software/tar/manual/html_node/Standard.html
 */
import { BadBundle } from './bundle.ts'

export const tarBlockBytes = 512

/** What follows a file of that size up to the next block. */
export const paddingOf = (sizeBytes: number): number => -sizeBytes & (tarBlockBytes - 1)

/** Two blocks of zeros are the end. */
export const tarEndBytes = 2 * tarBlockBytes

const sizeAt = 124
const sumAt = 148
const typeAt = 156
const octalMax = 0o77777777777

export function writeTarHeader(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(tarBlockBytes)
  header.write(name.slice(0, 99), 0, 'latin1')
  header.write('0000644\0', 100, 'latin1')
  header.write('0000000\0', 108, 'latin1')
  header.write('0000000\0', 116, 'latin1')
  if (sizeBytes <= octalMax) {
    header.write(sizeBytes.toString(8).padStart(11, '0'), sizeAt, 'latin1')
  } else {
    // GNU's form of what is too long for eleven digits: a mark, and the number itself.
    header[sizeAt] = 0x80
    header.writeBigUInt64BE(BigInt(sizeBytes), sizeAt + 4)
  }
  header.write('00000000000\0', 136, 'latin1')
  header.write('0', typeAt, 'latin1')
  header.write('ustar\0' + '00', 257, 'latin1')
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, sumAt, 'latin1')
  return header
}

/** Refuses an archive that does not begin with one plain file of that size. */
export function checkTarHeader(header: Buffer, sizeBytes: number): void {
  const type = header.toString('latin1', typeAt, typeAt + 1)
  if (readOctal(header, sumAt, 8) !== sumOf(header)) throw new BadBundle('it is no tar archive')
  if (type !== '0' && type !== '\0') {
    throw new BadBundle('its archive does not begin with a plain file, and only with that')
  }
  if (readSize(header) !== sizeBytes) throw new BadBundle('its disk has another size than it says')
}

/** The sum of all bytes, with spaces where it stands itself. */
function sumOf(header: Buffer): number {
  let sum = 8 * 0x20
  for (const [at, byte] of header.entries()) if (at < sumAt || at >= sumAt + 8) sum += byte
  return sum
}

function readSize(header: Buffer): number {
  if (header[sizeAt] === 0x80) return Number(header.readBigUInt64BE(sizeAt + 4))
  return readOctal(header, sizeAt, 12)
}

function readOctal(header: Buffer, at: number, length: number): number {
  const text = header
    .toString('latin1', at, at + length)
    .replaceAll('\0', ' ')
    .trim()
  return /^[0-7]{1,12}$/.test(text) ? Number.parseInt(text, 8) : NaN
}
