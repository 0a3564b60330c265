/**
 * Empty qcow2 images, version 3, written and read without a process of its own
 * (`qemu-img create` takes 30 ms, a launch several of them). In clusters of
 * 64 KiB: the header with the backing file's name, the refcount table, one
 * refcount block, the L1 table of zeroes; of an encrypted image the LUKS header behind that.
 * https://www.qemu.org/docs/master/interop/qcow2.html
 */
import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { dirname, relative, resolve, sep } from 'node:path'
import { writeDurably } from './durable-file.ts'
import { luksHeader, luksHeaderBytes, type LuksKey } from './luks.ts'

export type BackingFormat = 'raw' | 'qcow2'

export interface Overlay {
  readonly path: string
  readonly sizeBytes: number
  readonly backing?: { readonly path: string; readonly format: BackingFormat }
  /** What it writes is encrypted with that key, as the file of that number. */
  readonly encryption?: Encryption
}

export interface Encryption {
  readonly key: LuksKey
  readonly file: number
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
export const clusterBytes = 1 << clusterBits
const magic = 0x514649fb
const headerBytes = 104
const backingFormatExtension = 0xe2792aca
const encryptionExtension = 0x0537be77
const luksMethod = 2
const dataFileBit = 1n << 2n

/** An L1 entry stands for an L2 table, which maps 8192 clusters. */
export const bytesPerL1Entry = clusterBytes * (clusterBytes / 8)
export const luksClusters = Math.ceil(luksHeaderBytes / clusterBytes)
/** What one refcount block of 16-bit counts can hold, less the other clusters, as L1 table. */
const l1EntriesMax = (clusterBytes / 2 - 3 - luksClusters) * (clusterBytes / 8)
const backingNameBytesMax = 1023

/**
 * Creates an image of which nothing is written yet. The backing file is named
 * relative to the image, so that the folder that holds both may be moved.
 */
export async function createOverlay(overlay: Overlay): Promise<void> {
  const { path, sizeBytes, backing, encryption } = overlay
  assert(sizeBytes > 0 && sizeBytes % 512 === 0, `not whole sectors: ${sizeBytes}`)
  const l1Entries = Math.ceil(sizeBytes / bytesPerL1Entry)
  assert(l1Entries <= l1EntriesMax, `too large for one refcount block: ${sizeBytes}`)
  const luksCluster = 3 + Math.ceil((l1Entries * 8) / clusterBytes)
  const clusters = luksCluster + (encryption ? luksClusters : 0)
  const l1 = { offset: 3 * clusterBytes, entries: l1Entries }
  const refcounts = { offset: clusterBytes, clusters: 1 }
  const luksOffset = encryption && luksCluster * clusterBytes
  const header = headerOf({ sizeBytes, l1, refcounts, luksOffset })
  if (backing) writeBacking(header, backing.format, relativeName(path, backing.path))

  const refcountTable = Buffer.alloc(8)
  refcountTable.writeBigUInt64BE(BigInt(2 * clusterBytes))
  const refcountBlock = Buffer.alloc(clusters * 2)
  for (let cluster = 0; cluster < clusters; cluster++) refcountBlock.writeUInt16BE(1, cluster * 2)

  await writeDurably(path, clusters * clusterBytes, [
    { offset: 0, bytes: header },
    { offset: clusterBytes, bytes: refcountTable },
    { offset: 2 * clusterBytes, bytes: refcountBlock },
    ...(encryption
      ? [{ offset: luksOffset ?? 0, bytes: luksHeader(encryption.key, encryption.file) }]
      : []),
  ])
}

/** The first cluster, where the tables lie as it is told. */
export function headerOf({
  sizeBytes,
  l1,
  refcounts,
  luksOffset,
}: {
  readonly sizeBytes: number
  readonly l1: { readonly offset: number; readonly entries: number }
  readonly refcounts: { readonly offset: number; readonly clusters: number }
  /** Where the LUKS header of an encrypted image lies. */
  readonly luksOffset: number | undefined
}): Buffer {
  const header = Buffer.alloc(clusterBytes)
  header.writeUInt32BE(magic, 0)
  header.writeUInt32BE(3, 4)
  header.writeUInt32BE(clusterBits, 20)
  header.writeBigUInt64BE(BigInt(sizeBytes), 24)
  header.writeUInt32BE(luksOffset === undefined ? 0 : luksMethod, 32)
  header.writeUInt32BE(l1.entries, 36)
  header.writeBigUInt64BE(BigInt(l1.offset), 40)
  header.writeBigUInt64BE(BigInt(refcounts.offset), 48)
  header.writeUInt32BE(refcounts.clusters, 56)
  header.writeUInt32BE(4, 96) // refcounts of 1 << 4 bits
  header.writeUInt32BE(headerBytes, 100)
  if (luksOffset !== undefined) {
    header.writeUInt32BE(encryptionExtension, headerBytes)
    header.writeUInt32BE(16, headerBytes + 4)
    header.writeBigUInt64BE(BigInt(luksOffset), headerBytes + 8)
    header.writeBigUInt64BE(BigInt(luksHeaderBytes), headerBytes + 16)
  }
  return header
}

/** Reads what the header says of the image, or undefined where there is no qcow2 header. */
export async function readQcow2Header(
  path: string,
  flags: number | 'r' = 'r',
): Promise<Qcow2Header | undefined> {
  const file = await open(path, flags)
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
  const hasExtension = header.readUInt32BE(headerBytes) !== 0
  const at = headerBytes + (hasExtension ? 24 : 0)
  header.writeUInt32BE(backingFormatExtension, at)
  header.writeUInt32BE(format.length, at + 4)
  header.write(format, at + 8, 'ascii')
  // Extensions are padded to 8 bytes; one of eight zeroes ends them; the name comes behind.
  const nameOffset = at + 8 + 8 + 8
  header.write(name, nameOffset, 'utf8')
  header.writeBigUInt64BE(BigInt(nameOffset), 8)
  header.writeUInt32BE(nameBytes, 16)
}
