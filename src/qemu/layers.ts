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
import { sync, temporarySuffix } from './durable-file.ts'
import { createOverlay, readQcow2Header } from './qcow2.ts'
import { qemuImg } from './qemu-img.ts'

export interface Chain {
  /** From the one asked for down to the lowest. */
  readonly layers: readonly { readonly layer: number; readonly path: string }[]
  readonly basePath: string | undefined
  readonly sizeBytes: number
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

/** Makes the folder with layer 1 in it; nothing where that is there already. */
export async function createVolume(
  folder: string,
  volume: { readonly sizeBytes: number; readonly base?: string },
): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  if ((await layersIn(folder)).length > 0) return
  await createOverlay({
    path: layerPath(folder, 1),
    sizeBytes: volume.sizeBytes,
    ...(volume.base !== undefined && { backing: { path: volume.base, format: 'raw' } }),
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
export async function addLayer(folder: string, layer: number): Promise<void> {
  const top = await topLayer(folder)
  if (top === layer) return
  assert.equal(layer, top + 1, `${folder}: the layer above the top`)
  const { sizeBytes } = await chainOf(folder, top)
  const backing = { path: layerPath(folder, top), format: 'qcow2' } as const
  await createOverlay({ path: layerPath(folder, layer), sizeBytes, backing })
}

/** Grows the volume. No machine may have it open. */
export async function resizeVolume(folder: string, sizeBytes: number): Promise<void> {
  const path = layerPath(folder, await topLayer(folder))
  const header = await readQcow2Header(path)
  if (header?.sizeBytes === sizeBytes) return
  await qemuImg(['resize', '-q', '-f', 'qcow2', path, String(sizeBytes)])
  await sync(path)
}

/** The layers under (and with) this one, as their headers link them. */
export async function chainOf(folder: string, from: number): Promise<Chain> {
  const layers: { layer: number; path: string }[] = []
  let sizeBytes: number | undefined
  let path: string | undefined = layerPath(resolve(folder), from)
  for (;;) {
    const layer: number | undefined = path === undefined ? undefined : layerOf(path)
    if (path === undefined || layer === undefined) break
    const header = await readQcow2Header(path)
    assert(header, `${path}: not a qcow2 image`)
    assert(layer < (layers.at(-1)?.layer ?? Infinity), `${path}: backs a layer below it`)
    layers.push({ layer, path })
    sizeBytes ??= header.sizeBytes
    path = header.backingPath
  }
  assert(sizeBytes !== undefined)
  return { layers, basePath: path, sizeBytes }
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
