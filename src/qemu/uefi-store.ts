/**
 * The file in which a machine's UEFI keeps its variables: a firmware volume of
 * EDK II with an authenticated variable store in it, and behind that a work space
 * of the firmware, which is left alone. (MdeModulePkg/Include/Guid/VariableFormat.h)
 *
 *     0    volume: zeros(16) guid(16) size(8) '_FVH' attributes(4) head bytes(2) …
 *     head store: guid(16) size(4) 0x5a 0xfe zeros(6), then variables, each at 4n:
 *          55aa(2) state(1) 0 attributes(4) count(8) timestamp(16) key(4)
 *          name bytes(4) data bytes(4) vendor(16) name(UTF-16, with its end) data
 */
import {
  ByteReader,
  isZero,
  timestampBytes,
  u32,
  UefiDataError,
  type UefiVariable,
  vendorBytes,
} from './uefi-variable.ts'

const volumeGuid = Buffer.from('8d2bf1ff96768b4ca9852747075b4f50', 'hex')
const storeGuid = Buffer.from('782cf3aa7b949a43a1802e144ec37792', 'hex')
const storeHeadBytes = 28
const variableMark = 0x55aa
const variableHeadBytes = 60
const erased = 0xff
/** States: written whole; and so, while what shall replace it is being written. */
const settled = 0x3f
const inTransition = 0x3e

/** Where the firmware keeps the digests of private authenticated variables. */
const certificates = {
  name: 'certdb',
  vendor: Buffer.from('6ee5bed9dc75d949b4d7b534210f637a', 'hex'),
  attributes: 0x7,
}
const certificateHeadBytes = vendorBytes + 12

/** What the store holds now. Throws `UefiDataError` where it is not whole. */
export function readVariables(file: Uint8Array): UefiVariable[] {
  const { bytes, first, end } = openStore(file)
  const found = new Map<string, { readonly state: number; readonly variable: UefiVariable }>()
  for (let at = first; at + variableHeadBytes <= end;) {
    if (bytes.readUInt16LE(at) !== variableMark) break
    const nameBytes = bytes.readUInt32LE(at + 36)
    const dataBytes = bytes.readUInt32LE(at + 40)
    const nameAt = at + variableHeadBytes
    const dataAt = nameAt + nameBytes
    const state = bytes.readUInt8(at + 2)
    const isWritten = state === settled || state === inTransition
    // The sizes of one that was cut off while it was written may be those of erased flash.
    if (dataAt + dataBytes > end) {
      if (isWritten) throw new UefiDataError('a variable goes past the end of the store')
      break
    }
    const timestamp = bytes.subarray(at + 16, at + 16 + timestampBytes)
    const vendor = bytes.subarray(at + 44, at + 44 + vendorBytes)
    const variable = {
      name: readName(bytes.subarray(nameAt, dataAt)),
      vendor,
      attributes: bytes.readUInt32LE(at + 4),
      data: bytes.subarray(dataAt, dataAt + dataBytes),
      ...(!isZero(timestamp) && { timestamp }),
    }
    const key = keyOf(variable)
    const known = found.get(key)
    if (isWritten && (!known || known.state === inTransition)) found.set(key, { state, variable })
    at = aligned(dataAt + dataBytes)
  }
  const database = found.get(keyOf(certificates))
  found.delete(keyOf(certificates))
  const digests = database
    ? readCertificates(database.variable.data)
    : new Map<string, Uint8Array>()
  return [...found].map(([key, { variable }]) => {
    const certificateDigest = digests.get(key)
    return { ...variable, ...(certificateDigest && { certificateDigest }) }
  })
}

/** How much of a store the variables take. */
export function storedBytes(variables: readonly UefiVariable[]): number {
  return recordsOf(variables).reduce((sum, { length }) => aligned(sum + length), 0)
}

/** The same file with these variables in it instead. Throws `UefiDataError` where they do not fit. */
export function writeVariables(
  template: Uint8Array,
  variables: readonly UefiVariable[],
): Uint8Array {
  const { bytes: old, first, end } = openStore(template)
  const bytes = Buffer.from(old)
  bytes.fill(erased, first, end)
  let at = first
  for (const record of recordsOf(variables)) {
    if (at + record.length > end) {
      throw new UefiDataError(`the variables do not fit into ${end - first} bytes`)
    }
    record.copy(bytes, at)
    at = aligned(at + record.length)
  }
  return bytes
}

function openStore(file: Uint8Array) {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length)
  const isVolume =
    bytes.length > 64 &&
    bytes.subarray(16, 32).equals(volumeGuid) &&
    bytes.toString('latin1', 40, 44) === '_FVH'
  if (!isVolume) throw new UefiDataError('it is no firmware volume with variables')
  const storeAt = bytes.readUInt16LE(48)
  const first = storeAt + storeHeadBytes
  if (first > bytes.length || !bytes.subarray(storeAt, storeAt + 16).equals(storeGuid)) {
    throw new UefiDataError('there is no store of authenticated variables in it')
  }
  const end = storeAt + bytes.readUInt32LE(storeAt + 16)
  // Formatted, and healthy.
  const isWhole = bytes.readUInt8(storeAt + 20) === 0x5a && bytes.readUInt8(storeAt + 21) === 0xfe
  if (!isWhole || end > bytes.length || end < first) {
    throw new UefiDataError('the store of variables is not whole')
  }
  return { bytes, first: aligned(first), end }
}

function recordsOf(variables: readonly UefiVariable[]): readonly Buffer[] {
  const withDigest = variables.filter(({ certificateDigest }) => certificateDigest)
  const database = { ...certificates, data: writeCertificates(withDigest) }
  return [...(withDigest.length > 0 ? [database] : []), ...variables].map(encodeVariable)
}

function encodeVariable(variable: UefiVariable): Buffer {
  const { name, vendor, attributes, data, timestamp } = variable
  const nameBytes = Buffer.from(`${name}\0`, 'utf16le')
  const head = Buffer.alloc(variableHeadBytes)
  head.writeUInt16LE(variableMark)
  head.writeUInt8(settled, 2)
  head.writeUInt32LE(attributes, 4)
  head.set(timestamp ?? [], 16)
  head.writeUInt32LE(nameBytes.length, 36)
  head.writeUInt32LE(data.length, 40)
  head.set(vendor, 44)
  return Buffer.concat([head, nameBytes, data])
}

function readCertificates(data: Uint8Array): Map<string, Uint8Array> {
  const reader = new ByteReader(data)
  const digests = new Map<string, Uint8Array>()
  if (reader.left < 4 || reader.u32() !== data.length) return digests
  while (reader.left >= certificateHeadBytes) {
    const vendor = reader.take(vendorBytes)
    reader.u32()
    const nameCharacters = reader.u32()
    const digestBytes = reader.u32()
    const name = readName(reader.take(nameCharacters * 2))
    digests.set(keyOf({ name, vendor }), reader.take(digestBytes))
  }
  return digests
}

function writeCertificates(variables: readonly UefiVariable[]): Buffer {
  const nodes = variables.map(({ name, vendor, certificateDigest = Buffer.alloc(0) }) => {
    const nameBytes = Buffer.from(name, 'utf16le')
    const sizeBytes = certificateHeadBytes + nameBytes.length + certificateDigest.length
    const sizes = [sizeBytes, nameBytes.length / 2, certificateDigest.length]
    return Buffer.concat([vendor, ...sizes.map(u32), nameBytes, certificateDigest])
  })
  const nodeBytes = nodes.reduce((sum, { length }) => sum + length, 0)
  return Buffer.concat([u32(4 + nodeBytes), ...nodes])
}

function keyOf({ name, vendor }: Pick<UefiVariable, 'name' | 'vendor'>): string {
  return `${Buffer.from(vendor).toString('hex')}/${name}`
}

/** Up to its end, which the name has with it. */
function readName(bytes: Buffer): string {
  const name = bytes.toString('utf16le')
  const end = name.indexOf('\0')
  return end < 0 ? name : name.slice(0, end)
}

function aligned(at: number): number {
  return (at + 3) & ~3
}
