/**
 * Where the bytes of encrypted layers lie, read from their own tables: `qemu-img map`
 * does not tell. The tables themselves are not encrypted. Frozen layers no longer
 * change, so no lock is needed.
 * https://www.qemu.org/docs/master/interop/qcow2.html
 */
import assert from 'node:assert/strict'
import { type FileHandle, open } from 'node:fs/promises'
import { ownFile } from './own-file.ts'
import { clusterBytes } from './qcow2.ts'

/** What a layer has at some place of its own, be it zeroes. */
export interface MapEntry {
  readonly start: number
  readonly length: number
  /** Which of the layers: 0 is the first given. */
  readonly depth: number
  /** Where in its file the bytes lie; nothing where they are zeroes. */
  readonly offset: number | undefined
}

const entryBytes = 8
const clustersPerTable = clusterBytes / entryBytes
const offsetMask = 0x00fffffffffffe00n
const compressedBit = 1n << 62n
const zeroBit = 1n

interface Tables {
  readonly file: FileHandle
  readonly sizeBytes: number
  readonly l1: Buffer
}

/** Maps layers, the top first, of which each lies over the next. What none of them has is left out. */
export async function mapClusters(paths: readonly string[]): Promise<readonly MapEntry[]> {
  await using opened = new AsyncDisposableStack()
  const layers: Tables[] = []
  for (const path of paths)
    layers.push(await openTables(opened.use(await open(path, ownFile)), path))
  const [top] = layers
  assert(top, 'no layers')
  const entries: { start: number; length: number; depth: number; offset: number | undefined }[] = []
  const add = (start: number, length: number, depth: number, offset: number | undefined) => {
    const last = entries.at(-1)
    const isNext = last?.depth === depth && last.start + last.length === start
    const goesOn =
      last?.offset === undefined ? offset === undefined : last.offset + last.length === offset
    if (last && isNext && goesOn) last.length += length
    else entries.push({ start, length, depth, offset })
  }
  const tables = Math.ceil(top.sizeBytes / (clusterBytes * clustersPerTable))
  for (let table = 0; table < tables; table++) {
    const l2 = await Promise.all(layers.map((layer) => readTable(layer, table)))
    if (l2.every((entriesOfIt) => entriesOfIt === undefined)) continue
    for (let index = 0; index < clustersPerTable; index++) {
      const start = (table * clustersPerTable + index) * clusterBytes
      const length = Math.min(clusterBytes, top.sizeBytes - start)
      if (length <= 0) break
      for (const [depth, own] of l2.entries()) {
        if (start >= (layers[depth]?.sizeBytes ?? 0)) break // What lies under it is cut off.
        const entry = own?.readBigUInt64BE(index * entryBytes) ?? 0n
        if (entry === 0n) continue
        assert((entry & compressedBit) === 0n, `${paths[depth]}: a compressed cluster`)
        const isZero = (entry & zeroBit) !== 0n
        add(start, length, depth, isZero ? undefined : Number(entry & offsetMask))
        break
      }
    }
  }
  return entries
}

async function openTables(file: FileHandle, path: string): Promise<Tables> {
  const header = Buffer.alloc(72)
  await file.read(header, 0, header.length, 0)
  assert.equal(1 << header.readUInt32BE(20), clusterBytes, `${path}: clusters of another size`)
  const sizeBytes = Number(header.readBigUInt64BE(24))
  const l1 = Buffer.alloc(header.readUInt32BE(36) * entryBytes)
  await file.read(l1, 0, l1.length, Number(header.readBigUInt64BE(40)))
  return { file, sizeBytes, l1 }
}

async function readTable({ file, l1 }: Tables, table: number): Promise<Buffer | undefined> {
  if ((table + 1) * entryBytes > l1.length) return undefined
  const offset = Number(l1.readBigUInt64BE(table * entryBytes) & offsetMask)
  if (offset === 0) return undefined
  const entries = Buffer.alloc(clusterBytes)
  await file.read(entries, 0, entries.length, offset)
  return entries
}
