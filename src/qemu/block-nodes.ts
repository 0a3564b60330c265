/**
 * How a volume's layers are laid out in QEMU's block graph: two nodes a layer,
 * the file and the format over it, named by the disk's id and the layer's
 * number, so that QEMU can be asked later which layer it writes. Only the top is
 * writable. A frozen layer's file is opened for writing only while a merge asks
 * for it (`auto-read-only`), and never the base.
 */
import assert from 'node:assert/strict'
import { type Chain, layerOf } from './layers.ts'
import type { BlockNode, GhostNode } from './qmp-commands.ts'

const nodeNameCharactersMax = 31

export function nodeOfLayer(diskId: string, layer: number): string {
  return wellFormed(`${diskId}.${layer}`)
}

function fileNodeOfLayer(diskId: string, layer: number): string {
  return wellFormed(`${diskId}.${layer}.f`)
}

const baseSuffix = 'base'
/** Of what a guest keeps of a disk that was taken away from it. */
const ghostSuffix = 'none'
const inputOutputError = 5

export function ghostOf(diskId: string): string {
  return wellFormed(`${diskId}.${ghostSuffix}`)
}

/** Nodes that are as large as the disk was, and fail whatever the guest asks of them. */
export function ghostNodes(diskId: string, sizeBytes: number): readonly GhostNode[] {
  const empty = wellFormed(`${diskId}.${ghostSuffix}.f`)
  const failure = { event: 'none', errno: inputOutputError } as const
  return [
    { driver: 'null-co', 'node-name': empty, size: sizeBytes },
    { driver: 'blkdebug', 'node-name': ghostOf(diskId), image: empty, 'inject-error': [failure] },
  ]
}

export function isOfGhost(diskId: string, name: string): boolean {
  return `${name}.`.startsWith(`${ghostOf(diskId)}.`)
}

/** The nodes of a disk among these, the ones that rest on others first. */
export function nodesOfDisk(diskId: string, names: readonly string[]): readonly string[] {
  const rank = (name: string): number => {
    const [layer, file] = name.slice(diskId.length + 1).split('.')
    const height = layer === baseSuffix ? 0 : layer === ghostSuffix ? -1 : Number(layer)
    return height * 2 + (file === undefined ? 1 : 0)
  }
  return names
    .filter((name) => name.startsWith(`${diskId}.`))
    .toSorted((one, other) => rank(other) - rank(one))
}

/** The names of the two nodes of a layer, the one that rests on the other first. */
export function nodesOfLayer(diskId: string, layer: number): readonly string[] {
  return [nodeOfLayer(diskId, layer), fileNodeOfLayer(diskId, layer)]
}

/** The disk and the layer that a node of the format is of. */
export function parseNode(name: string): { diskId: string; layer: number } | undefined {
  const [, diskId, layer] = /^(.+)\.(\d+)$/.exec(name) ?? []
  return diskId === undefined ? undefined : { diskId, layer: Number(layer) }
}

/** The nodes of a whole chain, each after those that it rests on. */
export function nodesOfChain(diskId: string, chain: Chain): readonly BlockNode[] {
  const nodes: BlockNode[] = []
  let backing: string | null = null
  if (chain.basePath !== undefined) {
    backing = wellFormed(`${diskId}.${baseSuffix}`)
    const file = wellFormed(`${diskId}.${baseSuffix}.f`)
    nodes.push(
      { driver: 'file', 'node-name': file, filename: chain.basePath, 'read-only': true },
      { driver: 'raw', 'node-name': backing, file, 'read-only': true },
    )
  }
  const [top] = chain.layers
  for (const { layer, path } of chain.layers.toReversed()) {
    nodes.push(...nodesOver(diskId, path, { backing, 'read-only': layer !== top?.layer }))
    backing = nodeOfLayer(diskId, layer)
  }
  return nodes
}

/** The nodes of one layer, over what is given. */
export function nodesOver(
  diskId: string,
  path: string,
  how: { readonly backing: string | null; readonly 'read-only': boolean },
): readonly BlockNode[] {
  const layer = layerOf(path)
  assert(layer !== undefined, `not a layer: ${path}`)
  const file = fileNodeOfLayer(diskId, layer)
  const format = nodeOfLayer(diskId, layer)
  return [
    { driver: 'file', 'node-name': file, filename: path, 'auto-read-only': true, discard: 'unmap' },
    { driver: 'qcow2', 'node-name': format, file, discard: 'unmap', ...how },
  ]
}

function wellFormed(name: string): string {
  assert(/^[A-Za-z][A-Za-z0-9._-]*$/.test(name), `not a name for a node: ${name}`)
  assert(name.length <= nodeNameCharactersMax, `too long a name for a node: ${name}`)
  return name
}
