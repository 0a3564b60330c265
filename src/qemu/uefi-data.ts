/**
 * Variables of UEFI as EC2 hands them in and out (`UefiData`), all numbers little
 * endian, in Base64:
 *
 *     AMZNUEFI  crc32c(4)  version(4) = 0  zlib( count(8)  variable… )
 *     variable: name(8+n, UTF-8)  data(8+n)  vendor(16)  attributes(4)
 *               and, where authenticated by time:  timestamp(16)  digest(8+n)
 *
 * The checksum is of all that follows it. EC2 compresses with a preset
 * dictionary, which is not ours: who has it hands it in. What we write without
 * one, every reader of the format takes.
 */
import { deflateSync, inflateSync } from 'node:zlib'
import { crc32c } from './crc32c.ts'
import {
  ByteReader,
  isZero,
  timeAuthenticated,
  timestampBytes,
  u32,
  u64,
  UefiDataError,
  type UefiVariable,
  vendorBytes,
} from './uefi-variable.ts'

export type Dictionary = Uint8Array | undefined

const magic = Buffer.from('AMZNUEFI', 'latin1')
const headBytes = magic.length + 4
const version = 0
/** More than any variable store of a machine holds. */
const plainBytesMax = 2 ** 20
const emptyDigest = Buffer.alloc(32)
const base64Form = /^[A-Za-z0-9+/\s]*(?:=\s*){0,2}$/

/** Throws `UefiDataError` for what is not in the format, or not whole. */
export function decodeUefiData(text: string, dictionary: Dictionary): UefiVariable[] {
  if (!base64Form.test(text)) throw new UefiDataError('it is not Base64')
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length < headBytes + 4 || !bytes.subarray(0, magic.length).equals(magic)) {
    throw new UefiDataError('it does not begin with AMZNUEFI')
  }
  const body = bytes.subarray(headBytes)
  if (bytes.readUInt32LE(magic.length) !== crc32c(body)) {
    throw new UefiDataError('its checksum is wrong')
  }
  if (body.readUInt32LE() !== version) {
    throw new UefiDataError(`its version ${body.readUInt32LE()} is not known`)
  }
  const reader = new ByteReader(inflate(body.subarray(4), dictionary))
  const count = reader.u64()
  const variables: UefiVariable[] = []
  for (let index = 0; index < count; index++) variables.push(readVariable(reader))
  return variables
}

export function encodeUefiData(variables: readonly UefiVariable[], dictionary: Dictionary): string {
  const plain = Buffer.concat([
    u64(variables.length),
    ...variables.flatMap(({ name, data, vendor, attributes, timestamp, certificateDigest }) => [
      sized(Buffer.from(name, 'utf8')),
      sized(data),
      vendor,
      u32(attributes),
      ...((attributes & timeAuthenticated) === 0
        ? []
        : [timestamp ?? Buffer.alloc(timestampBytes), sized(certificateDigest ?? emptyDigest)]),
    ]),
  ])
  const packed = deflateSync(plain, { level: 9, ...(dictionary && { dictionary }) })
  const body = Buffer.concat([u32(version), packed])
  return Buffer.concat([magic, u32(crc32c(body)), body]).toString('base64')
}

function inflate(packed: Uint8Array, dictionary: Dictionary): Buffer {
  try {
    return inflateSync(packed, {
      maxOutputLength: plainBytesMax,
      ...(dictionary && { dictionary }),
    })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'Z_NEED_DICT') {
      throw new UefiDataError('it needs the preset dictionary of EC2, which is not installed here')
    }
    throw new UefiDataError('it cannot be decompressed', { cause: error })
  }
}

function readVariable(reader: ByteReader): UefiVariable {
  const name = reader.take(reader.u64()).toString('utf8')
  const data = reader.take(reader.u64())
  const vendor = reader.take(vendorBytes)
  const attributes = reader.u32()
  if ((attributes & timeAuthenticated) === 0) return { name, data, vendor, attributes }
  const timestamp = reader.take(timestampBytes)
  const certificateDigest = reader.take(reader.u64())
  return {
    name,
    data,
    vendor,
    attributes,
    ...(!isZero(timestamp) && { timestamp }),
    ...(!isZero(certificateDigest) && { certificateDigest }),
  }
}

function sized(bytes: Uint8Array): Buffer {
  return Buffer.concat([u64(bytes.length), bytes])
}
