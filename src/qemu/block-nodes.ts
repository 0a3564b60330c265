/**
 * How a volume's layers are laid out in QEMU's block graph: two nodes a layer,
 * the file and the format over it, named by the disk's id and the layer's
 * number, so that QEMU can be asked later which layer it writes. An encrypted disk
names two secrets, which are needed only while its nodes are made. Only the top is
 * writable. A frozen layer's file is opened for writing only while a merge asks
 * for it (`auto-read-only`), and never the base.
 */
import assert from 'node:assert/strict'
import { type Chain, layerOf, type ServedBase } from './layers.ts'
import type { DiskKeys } from './luks.ts'
import type { BlockNode, GhostNode, ServedNode } from './qmp-commands.ts'
import type { NamedSecret } from './secret-file.ts'

const nodeNameCharactersMax = 31

export function nodeOfLayer(diskId: string, layer: number): string {
  return wellFormed(`${diskId}.${layer}`)
}

function fileNodeOfLayer(diskId: string, layer: number): string {
  return wellFormed(`${diskId}.${layer}.f`)
}

const baseSuffix = 'base'
/** Of a base that is no file yet. */
const servedSuffix = 'served'
const reconnectSeconds = 365 * 24 * 60 * 60
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

export function servedNodeOf(diskId: string): string {
  return wellFormed(`${diskId}.${servedSuffix}`)
}

/** The disk whose base a node reads from its server. */
export function parseServedNode(name: string): string | undefined {
  const end = `.${servedSuffix}`
  return name.endsWith(end) ? name.slice(0, -end.length) : undefined
}

export function isOfGhost(diskId: string, name: string): boolean {
  return `${name}.`.startsWith(`${ghostOf(diskId)}.`)
}

/** The nodes of a disk among these, the ones that rest on others first. */
export function nodesOfDisk(diskId: string, names: readonly string[]): readonly string[] {
  const rank = (name: string): number => {
    const [layer, file] = name.slice(diskId.length + 1).split('.')
    const isBase = layer === baseSuffix || layer === servedSuffix
    const height = isBase ? 0 : layer === ghostSuffix ? -1 : Number(layer)
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

const layersSecret = (diskId: string): string => `${diskId}.key`
const baseSecret = (diskId: string): string => `${diskId}.${baseSuffix}.key`

/** What the nodes of a disk refer to, where it is encrypted. */
export function secretsOfDisk(diskId: string, keys: DiskKeys | undefined): readonly NamedSecret[] {
  if (!keys) return []
  const layers = { id: layersSecret(diskId), secret: keys.layers.passphrase() }
  if (!keys.base) return [layers]
  return [layers, { id: baseSecret(diskId), secret: keys.base.passphrase() }]
}

const encryptedBy = (secret: string): Pick<BlockNode, 'encrypt'> => ({
  encrypt: { format: 'luks', 'key-secret': secret },
})

/** The nodes of a whole chain, each after those that it rests on. */
export function nodesOfChain(diskId: string, chain: Chain): readonly (BlockNode | ServedNode)[] {
  const base = nodesOfBase(diskId, chain)
  const nodes: (BlockNode | ServedNode)[] = [...base]
  let backing: string | null = base.at(-1)?.['node-name'] ?? null
  const [top] = chain.layers
  for (const { layer, path } of chain.layers.toReversed()) {
    const isReadOnly = layer !== top?.layer
    const { isEncrypted } = chain
    nodes.push(...nodesOver(diskId, path, { backing, isReadOnly, isEncrypted }))
    backing = nodeOfLayer(diskId, layer)
  }
  return nodes
}

/** The nodes of the base: the last one is what the lowest layer lies over. */
function nodesOfBase(diskId: string, chain: Chain): readonly (BlockNode | ServedNode)[] {
  const { servedBase } = chain
  return servedBase ? [servedNode(diskId, servedBase)] : nodesOfBaseFile(diskId, chain)
}

/** The same of a base that is a file. */
export function nodesOfBaseFile(
  diskId: string,
  { basePath, isEncrypted }: Pick<Chain, 'basePath' | 'isEncrypted'>,
): readonly BlockNode[] {
  if (basePath === undefined) return []
  const file = wellFormed(`${diskId}.${baseSuffix}.f`)
  const format = { 'node-name': wellFormed(`${diskId}.${baseSuffix}`), file, 'read-only': true }
  return [
    { driver: 'file', 'node-name': file, filename: basePath, 'read-only': true },
    isEncrypted
      ? { driver: 'qcow2', ...format, backing: null, ...encryptedBy(baseSecret(diskId)) }
      : { driver: 'raw', ...format },
  ]
}

/** It waits for a server that is away, for as long as anybody would wait for it. */
function servedNode(diskId: string, { socket, export: name }: ServedBase): ServedNode {
  return {
    driver: 'nbd',
    'node-name': servedNodeOf(diskId),
    server: { type: 'unix', path: socket },
    export: name,
    'read-only': true,
    'reconnect-delay': reconnectSeconds,
  }
}

/** The nodes of one layer, over what is given. */
export function nodesOver(
  diskId: string,
  path: string,
  how: {
    readonly backing: string | null
    readonly isReadOnly: boolean
    readonly isEncrypted: boolean
  },
): readonly BlockNode[] {
  const layer = layerOf(path)
  assert(layer !== undefined, `not a layer: ${path}`)
  const file = fileNodeOfLayer(diskId, layer)
  const format = nodeOfLayer(diskId, layer)
  return [
    { driver: 'file', 'node-name': file, filename: path, 'auto-read-only': true, discard: 'unmap' },
    {
      driver: 'qcow2',
      'node-name': format,
      file,
      discard: 'unmap',
      backing: how.backing,
      'read-only': how.isReadOnly,
      ...(how.isEncrypted && encryptedBy(layersSecret(diskId))),
    },
  ]
}

function wellFormed(name: string): string {
  assert(/^[A-Za-z][A-Za-z0-9._-]*$/.test(name), `not a name for a node: ${name}`)
  assert(name.length <= nodeNameCharactersMax, `too long a name for a node: ${name}`)
  return name
}
