/**
 * An encrypted base: a qcow2 image with LUKS whose blocks are all known before it is
 * written, so that its tables can come first and its blocks in any order. What the disk
 * has no block for is not there, and reads as zeroes.
 */
import assert from 'node:assert/strict'
import { baseFile, luksHeader, type LuksKey } from './luks.ts'
import { bytesPerL1Entry, clusterBytes, headerOf, luksClusters } from './qcow2.ts'

export interface EncryptedBase {
  readonly fileBytes: number
  /** All that is not a block, by its offset in the file. */
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[]
  /** Where blocks go in the file, by their position among those that there are. */
  readonly offsetOf: (position: number) => number
  /** What they are encrypted with, by sectors of the file. */
  readonly masterKey: Uint8Array
}

const entryBytes = 8
const clustersPerTable = clusterBytes / entryBytes
const countsPerBlock = clusterBytes / 2
/** That nobody else refers to the cluster. */
const copied = 1n << 63n

/** Lays out a disk of which there are these blocks, ascending. */
export function layOutBase(
  key: LuksKey,
  disk: {
    readonly sizeBytes: number
    readonly indexes: Iterable<number>
    readonly blockSizeBytes: number
  },
): EncryptedBase {
  const { blockSizeBytes } = disk
  const sizeBytes = Math.max(1, Math.ceil(disk.sizeBytes / 512)) * 512
  const indexes = [...disk.indexes]
  const perBlock = blockSizeBytes / clusterBytes
  const diskClusters = Math.ceil(sizeBytes / clusterBytes)
  // The last block may reach beyond the end of the disk.
  const last = indexes.at(-1)
  const excess = last === undefined ? 0 : Math.max(0, (last + 1) * perBlock - diskClusters)
  const dataClusters = indexes.length * perBlock - excess

  const l1Entries = Math.ceil(sizeBytes / bytesPerL1Entry)
  const l1Clusters = Math.ceil((l1Entries * entryBytes) / clusterBytes)
  const tableOf = (index: number) => Math.floor((index * perBlock) / clustersPerTable)
  const tables = [...new Set(indexes.map(tableOf))]
  const others = 1 + l1Clusters + tables.length + luksClusters + dataClusters
  const { refcountBlocks, refcountTable } = refcountsOf(others)
  const refcountsAt = clusterBytes
  const l1At = refcountsAt + (refcountTable + refcountBlocks) * clusterBytes
  const tablesAt = l1At + l1Clusters * clusterBytes
  const luksOffset = tablesAt + tables.length * clusterBytes
  const dataAt = luksOffset + luksClusters * clusterBytes

  const refcounts = Buffer.alloc(refcountTable * clusterBytes)
  for (let block = 0; block < refcountBlocks; block++) {
    const offset = refcountsAt + (refcountTable + block) * clusterBytes
    refcounts.writeBigUInt64BE(BigInt(offset), block * entryBytes)
  }
  const clusters = dataAt / clusterBytes + dataClusters
  const counts = Buffer.alloc(clusters * 2)
  for (let cluster = 0; cluster < clusters; cluster++) counts.writeUInt16BE(1, cluster * 2)

  const l1 = Buffer.alloc(l1Entries * entryBytes)
  const l2 = Buffer.alloc(tables.length * clusterBytes)
  const placeOf = new Map(tables.map((table, place) => [table, place]))
  for (const [place, table] of tables.entries()) {
    const offset = BigInt(tablesAt + place * clusterBytes)
    l1.writeBigUInt64BE(offset | copied, table * entryBytes)
  }
  for (const [position, index] of indexes.entries()) {
    const place = placeOf.get(tableOf(index))
    assert(place !== undefined)
    for (let part = 0; part < perBlock; part++) {
      const cluster = index * perBlock + part
      if (cluster >= diskClusters) break
      const offset = dataAt + (position * perBlock + part) * clusterBytes
      const at = place * clusterBytes + (cluster % clustersPerTable) * entryBytes
      l2.writeBigUInt64BE(BigInt(offset) | copied, at)
    }
  }
  const header = headerOf({
    sizeBytes,
    l1: { offset: l1At, entries: l1Entries },
    refcounts: { offset: refcountsAt, clusters: refcountTable },
    luksOffset,
  })
  return {
    fileBytes: clusters * clusterBytes,
    parts: [
      { offset: 0, bytes: header },
      { offset: refcountsAt, bytes: refcounts },
      { offset: refcountsAt + refcountTable * clusterBytes, bytes: counts },
      { offset: l1At, bytes: l1 },
      { offset: tablesAt, bytes: l2 },
      { offset: luksOffset, bytes: luksHeader(key, baseFile) },
    ],
    offsetOf: (position) => dataAt + position * blockSizeBytes,
    masterKey: key.masterKey(baseFile),
  }
}

/** How many clusters the counts of all clusters take, their own among them. */
function refcountsOf(otherClusters: number) {
  let refcountBlocks = 0
  let refcountTable = 0
  for (;;) {
    const clusters = otherClusters + refcountBlocks + refcountTable
    const blocks = Math.ceil(clusters / countsPerBlock)
    const table = Math.ceil((blocks * entryBytes) / clusterBytes)
    if (blocks === refcountBlocks && table === refcountTable)
      return { refcountBlocks, refcountTable }
    refcountBlocks = blocks
    refcountTable = table
  }
}
