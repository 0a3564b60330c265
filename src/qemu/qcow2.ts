/**
 * Empty qcow2 images, version 3, written and read without a process of its own
 * (`qemu-img create` takes 30 ms, a launch several of them). In clusters of
 * 64 KiB: the header with the backing file's name, the refcount table, one
 * refcount block, the L1 table of zeroes.
 * https://www.qemu.org/docs/master/interop/qcow2.html
 */
import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { writeDurably } from './durable-file.ts'

export type BackingFormat = 'raw' | 'qcow2'

export interface Overlay {
  readonly path: string
  readonly sizeBytes: number
  readonly backing?: { readonly path: string; readonly format: BackingFormat }
}

export interface Qcow2Header {
  readonly version: number
  readonly sizeBytes: number
  /** Absolute, resolved as QEMU does it: from the folder that the image is in. */
  readonly backingPath: string | undefined
  readonly isEncrypted: boolean
  readonly hasDataFile: boolean
}

const clusterBits = 16
const clusterBytes = 1 << clusterBits
const magic = 0x514649fb
const headerBytes = 104
const backingFormatExtension = 0xe2792aca
const dataFileBit = 1n << 2n

/** An L1 entry stands for an L2 table, which maps 8192 clusters. */
const bytesPerL1Entry = clusterBytes * (clusterBytes / 8)
/** What one refcount block of 16-bit counts can hold, less the three other clusters, as L1 table. */
const l1EntriesMax = (clusterBytes / 2 - 3) * (clusterBytes / 8)
const backingNameBytesMax = 1023

/**
 * Creates an image of which nothing is written yet. The backing file is named
 * relative to the image, so that the folder that holds both may be moved.
 */
export async function createOverlay({ path, sizeBytes, backing }: Overlay): Promise<void> {
  assert(sizeBytes > 0 && sizeBytes % 512 === 0, `not whole sectors: ${sizeBytes}`)
  const l1Entries = Math.ceil(sizeBytes / bytesPerL1Entry)
  assert(l1Entries <= l1EntriesMax, `too large for one refcount block: ${sizeBytes}`)
  const l1Clusters = Math.ceil((l1Entries * 8) / clusterBytes)
  const clusters = 3 + l1Clusters

  const header = Buffer.alloc(clusterBytes)
  header.writeUInt32BE(magic, 0)
  header.writeUInt32BE(3, 4)
  header.writeUInt32BE(clusterBits, 20)
  header.writeBigUInt64BE(BigInt(sizeBytes), 24)
  header.writeUInt32BE(l1Entries, 36)
  header.writeBigUInt64BE(BigInt(3 * clusterBytes), 40)
  header.writeBigUInt64BE(BigInt(clusterBytes), 48)
  header.writeUInt32BE(1, 56)
  header.writeUInt32BE(4, 96) // refcounts of 1 << 4 bits
  header.writeUInt32BE(headerBytes, 100)
  if (backing) writeBacking(header, backing.format, relativeName(path, backing.path))

  const refcountTable = Buffer.alloc(8)
  refcountTable.writeBigUInt64BE(BigInt(2 * clusterBytes))
  const refcountBlock = Buffer.alloc(clusters * 2)
  for (let cluster = 0; cluster < clusters; cluster++) refcountBlock.writeUInt16BE(1, cluster * 2)

  await writeDurably(path, clusters * clusterBytes, [
    { offset: 0, bytes: header },
    { offset: clusterBytes, bytes: refcountTable },
    { offset: 2 * clusterBytes, bytes: refcountBlock },
  ])
}

/** Reads what the header says of the image, or undefined where there is no qcow2 header. */
export async function readQcow2Header(path: string): Promise<Qcow2Header | undefined> {
  const file = await open(path, 'r')
  try {
    const header = Buffer.alloc(clusterBytes)
    const { bytesRead } = await file.read(header, 0, clusterBytes, 0)
    if (bytesRead < 72 || header.readUInt32BE(0) !== magic) return undefined
    const version = header.readUInt32BE(4)
    const nameOffset = Number(header.readBigUInt64BE(8))
    const nameBytes = header.readUInt32BE(16)
    const incompatible = version >= 3 ? header.readBigUInt64BE(72) : 0n
    let backingPath: string | undefined
    if (nameOffset !== 0) {
      assert(
        nameOffset + nameBytes <= bytesRead,
        `${path}: the backing file's name is out of reach`,
      )
      const name = header.toString('utf8', nameOffset, nameOffset + nameBytes)
      backingPath = resolve(dirname(path), name)
    }
    return {
      version,
      sizeBytes: Number(header.readBigUInt64BE(24)),
      backingPath,
      isEncrypted: header.readUInt32BE(32) !== 0,
      hasDataFile: (incompatible & dataFileBit) !== 0n,
    }
  } finally {
    await file.close()
  }
}

/** QEMU takes what stands before the first colon for a protocol, unless a slash comes first. */
function relativeName(from: string, to: string): string {
  const name = relative(dirname(resolve(from)), resolve(to))
  return name.includes(sep) ? name : `.${sep}${name}`
}

function writeBacking(header: Buffer, format: BackingFormat, name: string): void {
  const nameBytes = Buffer.byteLength(name)
  assert(nameBytes <= backingNameBytesMax, `the backing file's name is too long: ${name}`)
  header.writeUInt32BE(backingFormatExtension, headerBytes)
  header.writeUInt32BE(format.length, headerBytes + 4)
  header.write(format, headerBytes + 8, 'ascii')
  // Extensions are padded to 8 bytes; one of eight zeroes ends them; the name comes behind.
  const nameOffset = headerBytes + 8 + 8 + 8
  header.write(name, nameOffset, 'utf8')
  header.writeBigUInt64BE(BigInt(nameOffset), 8)
  header.writeUInt32BE(nameBytes, 16)
}
