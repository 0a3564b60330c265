/**
 * A volume is a folder of qcow2 layers, `1.qcow2`, `2.qcow2`, …, each over the
 * one below, the lowest over a raw base or over nothing. The one with the
 * highest number is the top: it alone is written. What a layer's header names
 * as its backing file is the truth about the chain; a file that the chain does
 * not lead to has been merged away.
 */
import assert from 'node:assert/strict'
import { mkdir, readdir, rm, unlink } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { isEncryptedBase } from './base-files.ts'
import { sync, temporarySuffix } from './durable-file.ts'
import { imageOf } from './image-options.ts'
import type { DiskKeys, LuksKey } from './luks.ts'
import { ownFile } from './own-file.ts'
import { createOverlay, type Encryption, readQcow2Header } from './qcow2.ts'
import { qemuImg } from './qemu-img.ts'

export interface Layer {
  readonly layer: number
  readonly path: string
}

export interface Chain {
  /** From the one asked for down to the lowest. */
  readonly layers: readonly Layer[]
  readonly basePath: string | undefined
  /** Where the base is to be read as long as there is no such file. */
  readonly servedBase?: ServedBase
  /** All of it is, the base too, or nothing. */
  readonly isEncrypted: boolean
  readonly sizeBytes: number
}

/** The folder of bases, beside the one of volumes. */
const basesName = 'bases'

/** A disk that a server of NBD has. */
export interface ServedBase {
  /** The server's, as QEMU names it from its folder. */
  readonly socket: string
  /** The folder of that, which has nothing else in it. */
  readonly folder: string
  readonly export: string
}

const nameOfLayer = /^([1-9][0-9]*)\.qcow2$/

/** The number of the layer that the file holds. */
export function layerOf(path: string): number | undefined {
  const number = nameOfLayer.exec(basename(path))?.[1]
  return number === undefined ? undefined : Number(number)
}

export function layerPath(folder: string, layer: number): string {
  return join(folder, `${layer}.qcow2`)
}

/** Makes the folder with layer 1 in it; nothing where that is there already. With a key it is encrypted. */
export async function createVolume(
  folder: string,
  volume: { readonly sizeBytes: number; readonly base?: string; readonly key?: LuksKey },
): Promise<void> {
  const { sizeBytes, base, key } = volume
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await layersIn(folder)).length > 0) return
  const format = key ? 'qcow2' : 'raw'
  await createOverlay({
    path: layerPath(folder, 1),
    sizeBytes,
    ...(base !== undefined && { backing: { path: base, format } }),
    ...(key && { encryption: { key, file: 1 } }),
  })
  await sync(dirname(resolve(folder)))
}

/** Removes the volume; nothing where there is none. */
export async function removeVolume(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

export async function topLayer(folder: string): Promise<number> {
  const top = Math.max(...(await layersIn(folder)))
  assert(top > 0, `${folder}: no layers`)
  return top
}

/**
 * Freezes all there is under a new, empty top layer. `layer` is the number that
 * it shall have: nothing happens where that is there already.
 */
export async function addLayer(folder: string, layer: number, keys?: DiskKeys): Promise<void> {
  const top = await topLayer(folder)
  if (top === layer) return
  assert.equal(layer, top + 1, `${folder}: the layer above the top`)
  const { sizeBytes, isEncrypted } = await chainOf(folder, top)
  const backing = { path: layerPath(folder, top), format: 'qcow2' } as const
  const encryption = encryptionOf(folder, layer, isEncrypted, keys)
  await createOverlay({
    path: layerPath(folder, layer),
    sizeBytes,
    backing,
    ...(encryption && { encryption }),
  })
}

/** A layer is encrypted where those under it are, and only there. */
function encryptionOf(
  folder: string,
  file: number,
  isEncrypted: boolean,
  keys: DiskKeys | undefined,
): Encryption | undefined {
  if (!isEncrypted) return undefined
  assert(keys, `${folder}: is encrypted, and there is no key`)
  return { key: keys.layers, file }
}

/** Grows the volume. No machine may have it open. */
export async function resizeVolume(
  folder: string,
  sizeBytes: number,
  keys?: DiskKeys,
): Promise<void> {
  const chain = await chainOf(folder, await topLayer(folder))
  const [top] = chain.layers
  assert(top)
  if (chain.sizeBytes === sizeBytes) return
  const { image, secrets } = imageOf(chain, keys)
  await qemuImg(['resize', '-q', ...image, String(sizeBytes)], { secrets })
  await sync(top.path)
}

/** The layers under (and with) this one, as their headers link them. */
export async function chainOf(folder: string, from: number): Promise<Chain> {
  const layers: { layer: number; path: string }[] = []
  let sizeBytes: number | undefined
  let isEncrypted = false
  let path: string | undefined = layerPath(resolve(folder), from)
  for (;;) {
    const layer: number | undefined = path === undefined ? undefined : layerOf(path)
    if (path === undefined || layer === undefined) break
    const header = await readQcow2Header(path, ownFile)
    assert(header, `${path}: not a qcow2 image`)
    assert(dirname(path) === resolve(folder), `${path}: is not in ${folder}`)
    assert(!header.hasDataFile, `${path}: names a file that is not ours`)
    assert(layer < (layers.at(-1)?.layer ?? Infinity), `${path}: backs a layer below it`)
    if (layers.length === 0) ({ isEncrypted } = header)
    assert.equal(header.isEncrypted, isEncrypted, `${path}: is not encrypted as what lies over it`)
    layers.push({ layer, path })
    sizeBytes ??= header.sizeBytes
    path = header.backingPath
  }
  assert(sizeBytes !== undefined)
  if (path !== undefined) {
    assert(isEncryptedBase(path) === isEncrypted, `${path}: is not encrypted as what lies over it`)
    assert(isWhereBasesAre(resolve(folder), path), `${path}: is no base of ${folder}`)
  }
  return { layers, basePath: path, isEncrypted, sizeBytes }
}

/** What a header names may be the doing of a guest that has broken out: it is had only from there. */
function isWhereBasesAre(folder: string, path: string): boolean {
  const beside = dirname(folder)
  return [beside, join(dirname(beside), basesName)].includes(dirname(path))
}

/**
 * Removes the files that the chain no longer leads to, and what a cut-off
 * creation left. What led around them is made durable first.
 */
export async function removeMergedLayers(folder: string): Promise<void> {
  const { layers } = await chainOf(folder, await topLayer(folder))
  const unwanted = await strayFiles(folder, layers)
  if (unwanted.length === 0) return
  for (const { path } of layers) await sync(path)
  for (const name of unwanted) await unlink(join(folder, name))
  await sync(folder)
}

/** Whether a merge was cut off when its work was done and its files were still there. */
export async function hasMergedLayers(folder: string, { layers }: Chain): Promise<boolean> {
  return (await strayFiles(folder, layers)).length > 0
}

async function strayFiles(folder: string, layers: Chain['layers']): Promise<readonly string[]> {
  const kept = new Set(layers.map(({ path }) => basename(path)))
  return (await readdir(folder)).filter(
    (name) => (layerOf(name) !== undefined && !kept.has(name)) || name.endsWith(temporarySuffix),
  )
}

async function layersIn(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder)
  return names.map(layerOf).filter((layer) => layer !== undefined)
}
