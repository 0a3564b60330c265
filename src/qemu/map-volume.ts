/**
 * Where the bytes of a volume lie, as of a frozen layer. The layers may be open
 * in a running QEMU: frozen ones no longer change what they read as, so they
 * are looked at without a lock.
 */
import assert from 'node:assert/strict'
import { type Chain, chainOf, layerOf } from './layers.ts'
import { baseFile, type DiskKeys } from './luks.ts'
import { mapClusters } from './map-clusters.ts'
import { qemuImg } from './qemu-img.ts'

export interface Range {
  readonly start: number
  readonly length: number
}

/** A range whose bytes are to be found in a file: as they are, or encrypted by sectors of the file. */
export interface Extent extends Range {
  readonly file: string
  readonly fileOffset: number
  readonly masterKey?: Uint8Array
}

export interface VolumeMap {
  readonly sizeBytes: number
  /** In order; what none of them covers reads as zeroes. */
  readonly extents: readonly Extent[]
  /** In order: what layers above `since` hold, be it zeroes or a discard. */
  readonly changed?: readonly Range[]
}

interface MapEntry {
  readonly start: number
  readonly length: number
  readonly depth: number
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
  readonly offset?: number
}

/**
 * Maps what the volume reads as up to a layer. With `since`, also tells what may
 * differ from that layer, which need no longer be a file of its own: nothing
 * above it may have been merged.
 */
export async function mapVolume(
  folder: string,
  {
    upTo,
    since,
    keys,
  }: { readonly upTo: number; readonly since?: number; readonly keys?: DiskKeys | undefined },
): Promise<VolumeMap> {
  const chain = await chainOf(folder, upTo)
  if (chain.isEncrypted) return await mapEncrypted(chain, { since, keys })
  const { layers, basePath, sizeBytes } = chain
  const files = [...layers.map(({ path }) => path), ...(basePath === undefined ? [] : [basePath])]
  const [top] = files
  assert(top !== undefined)
  const output = await qemuImg(['map', '-U', '--output=json', '-f', 'qcow2', top])
  const entries = JSON.parse(output) as readonly MapEntry[]

  const extents: Extent[] = []
  for (const { start, length, depth, data, zero, offset } of entries) {
    if (!data || zero) continue
    const file = files[depth]
    assert(file !== undefined && offset !== undefined, `${top}: no place for the bytes at ${start}`)
    extents.push({ start, length, file, fileOffset: offset })
  }
  if (since === undefined) return { sizeBytes, extents }

  const changed = entries.filter(
    ({ depth, present }) => present && (layers[depth]?.layer ?? 0) > since,
  )
  return { sizeBytes, extents, changed: joined(changed) }
}

async function mapEncrypted(
  { layers, basePath, sizeBytes }: Chain,
  { since, keys }: { readonly since: number | undefined; readonly keys: DiskKeys | undefined },
): Promise<VolumeMap> {
  const files = layers.map(({ path }) => path)
  if (basePath !== undefined) files.push(basePath)
  const masterKeys = files.map((file) => {
    const layer = layerOf(file)
    const key = layer === undefined ? keys?.base : keys?.layers
    assert(key, `${file}: is encrypted, and there is no key`)
    return key.masterKey(layer ?? baseFile)
  })
  const entries = await mapClusters(files)
  const extents: Extent[] = []
  for (const { start, length, depth, offset } of entries) {
    const file = files[depth]
    const masterKey = masterKeys[depth]
    assert(file !== undefined && masterKey)
    if (offset !== undefined) extents.push({ start, length, file, fileOffset: offset, masterKey })
  }
  if (since === undefined) return { sizeBytes, extents }
  const changed = entries.filter(({ depth }) => (layers[depth]?.layer ?? 0) > since)
  return { sizeBytes, extents, changed: joined(changed) }
}

/** The same ranges, with those that touch made one. */
function joined(ranges: readonly Range[]): readonly Range[] {
  const result: { start: number; length: number }[] = []
  for (const { start, length } of ranges) {
    const last = result.at(-1)
    if (last && last.start + last.length === start) last.length += length
    else result.push({ start, length })
  }
  return result
}
