/**
 * The key of encrypted images, and the LUKS header (version 1) that shows it to QEMU.
 * Everything is derived: the passphrase, which all files of a volume share, and each
 * file's own master key. So whoever has the key can read a file without its header, and
 * writing one takes no process of its own. The passphrase has 256 bits, and there is
 * nothing to be won by making it slow to try, nor by spreading the master key.
 * https://gitlab.com/cryptsetup/cryptsetup/-/wikis/LUKS-standard/on-disk-format.pdf
 */
import { hash, pbkdf2Sync } from 'node:crypto'
import { derive } from '../lib/derive.ts'
import { Secret } from '../lib/secret.ts'
import { encryptSectors, xtsKeyBytes, xtsSectorBytes } from '../lib/xts.ts'

/** The key of the files of one volume, or of one base. */
export class LuksKey {
  readonly #key: Uint8Array

  constructor(key: Uint8Array) {
    this.#key = key
  }

  /** What opens every one of the files. */
  passphrase(): Secret {
    return new Secret(Buffer.from(derive(this.#key, 'passphrase')).toString('hex'))
  }

  /** What the data of a file is encrypted with: AES-256 in XTS mode, by sectors of the file. */
  masterKey(file: number): Uint8Array {
    return derive(this.#key, `file ${file}: master key`, xtsKeyBytes)
  }

  /** What else the header of a file needs that is to be like none other. */
  salt(file: number, what: string): Uint8Array {
    return derive(this.#key, `file ${file}: ${what}`)
  }
}

/** The keys of a disk's files. A blank volume has no base. */
export interface DiskKeys {
  readonly layers: LuksKey
  readonly base?: LuksKey
}

/** The number of a base among the files of its key: it is the only one. */
export const baseFile = 0

const headerBytes = 4096
const slots = 8
const slotsAt = 208
const slotBytes = 48
const stripes = 4000
const sectorsPerSlot = 504
const iterations = 1000
const digestBytes = 20
const isUsed = 0x00ac71f3
const isFree = 0x0000dead

/** With the room for all slots, of which the first is used. */
export const luksHeaderBytes = headerBytes + slots * sectorsPerSlot * xtsSectorBytes

/** The header of a file; behind its end there are zeros only. */
export function luksHeader(key: LuksKey, file: number): Buffer {
  const masterKey = key.masterKey(file)
  const header = Buffer.alloc(headerBytes)
  header.write('LUKS\xba\xbe', 0, 'latin1')
  header.writeUInt16BE(1, 6)
  header.write('aes', 8, 'latin1')
  header.write('xts-plain64', 40, 'latin1')
  header.write('sha256', 72, 'latin1')
  header.writeUInt32BE(luksHeaderBytes / xtsSectorBytes, 104)
  header.writeUInt32BE(xtsKeyBytes, 108)
  const salt = key.salt(file, 'salt')
  header.set(pbkdf2Sync(masterKey, salt, iterations, digestBytes, 'sha256'), 112)
  header.set(salt, 132)
  header.writeUInt32BE(iterations, 164)
  header.write(uuidOf(key.salt(file, 'name')), 168, 'latin1')
  const slotSalt = key.salt(file, 'slot')
  for (let slot = 0; slot < slots; slot++) {
    const at = slotsAt + slot * slotBytes
    header.writeUInt32BE(slot === 0 ? isUsed : isFree, at)
    if (slot === 0) {
      header.writeUInt32BE(iterations, at + 4)
      header.set(slotSalt, at + 8)
    }
    header.writeUInt32BE(headerBytes / xtsSectorBytes + slot * sectorsPerSlot, at + 40)
    header.writeUInt32BE(stripes, at + 44)
  }
  const passphrase = key.passphrase().reveal()
  const material = split(masterKey)
  const slotKey = pbkdf2Sync(passphrase, slotSalt, iterations, xtsKeyBytes, 'sha256')
  encryptSectors(slotKey, material, 0)
  return Buffer.concat([header, material])
}

/** The master key, spread over stripes of which all but the last are zeros. */
function split(masterKey: Uint8Array): Buffer {
  const material = Buffer.alloc(stripes * xtsKeyBytes)
  const last = (stripes - 1) * xtsKeyBytes
  for (const [at, byte] of zeroStripes().entries())
    material[last + at] = byte ^ (masterKey[at] ?? 0)
  return material
}

let diffused: Buffer | undefined

/** What all stripes but the last come to: always the same. */
function zeroStripes(): Buffer {
  if (diffused) return diffused
  const halfBytes = xtsKeyBytes / 2
  let block = Buffer.alloc(xtsKeyBytes)
  for (let stripe = 1; stripe < stripes; stripe++) {
    const halves = [0, 1].map((half) => {
      const number = Buffer.of(0, 0, 0, half)
      const bytes = block.subarray(half * halfBytes, (half + 1) * halfBytes)
      return hash('sha256', Buffer.concat([number, bytes]), 'buffer')
    })
    block = Buffer.concat(halves)
  }
  diffused = block
  return block
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}
