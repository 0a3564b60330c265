/**
 * The disks of a running machine, over its monitor. Nothing is remembered: what
 * QEMU has open is read back from it each time, so every step can be done again
 * after it was cut off, by whoever finds the machine then.
 */
import assert from 'node:assert/strict'
import {
  ghostNodes,
  ghostOf,
  isOfGhost,
  nodeOfLayer,
  nodesOfChain,
  nodesOfDisk,
  nodesOver,
  parseNode,
} from './block-nodes.ts'
import { diskDevice, portId } from './command-line.ts'
import { withSecrets } from './disk-secrets.ts'
import { type Chain, chainOf, layerPath, topLayer } from './layers.ts'
import type { DiskKeys } from './luks.ts'
import type { DiskSpec } from './machine-spec.ts'
import { type Qmp, QmpRefusal } from './qmp.ts'
import type { BlockNode, ServedNode } from './qmp-commands.ts'

/** What a frozen volume's new top shall be. */
export interface FreezePoint {
  readonly diskId: string
  readonly folder: string
  readonly layer: number
  /** Of an encrypted disk. */
  readonly keys?: DiskKeys | undefined
}

const devices = '/machine/peripheral'
/** Waits for what the guest has under way to reach the disk. */
const freezeTimeoutMs = 60_000

/** The layer that QEMU writes, of each disk. */
export async function topLayers(qmp: Qmp): Promise<ReadonlyMap<string, number>> {
  const tops = new Map<string, number>()
  for (const { inserted } of await qmp.run('query-block', undefined)) {
    const top = parseNode(inserted?.['node-name'] ?? '')
    if (top) tops.set(top.diskId, top.layer)
  }
  return tops
}

/** The nodes of a disk, the ones that rest on others first. */
export async function presentNodes(qmp: Qmp, diskId: string): Promise<readonly string[]> {
  const nodes = await qmp.run('query-named-block-nodes', { flat: true })
  return nodesOfDisk(
    diskId,
    nodes.map((node) => node['node-name'] ?? ''),
  )
}

/**
 * Has each disk written to the layer named, whose file is there, from one moment
 * on that is the same for all. What was written before is on disk when it returns.
 */
export async function freeze(qmp: Qmp, points: readonly FreezePoint[]): Promise<void> {
  const tops = await topLayers(qmp)
  const actions: { type: 'blockdev-snapshot'; data: { node: string; overlay: string } }[] = []
  for (const { diskId, folder, layer, keys } of points) {
    const top = tops.get(diskId)
    assert(top !== undefined, `the machine has no disk ${diskId}`)
    if (top === layer) continue
    const { layers, isEncrypted } = await chainOf(folder, layer)
    assert.equal(layers[1]?.layer, top, `${folder}: layer ${layer} is not over what is written`)
    const path = layerPath(folder, layer)
    const nodes = nodesOver(diskId, path, { backing: null, isReadOnly: false, isEncrypted })
    await withSecrets(qmp, { diskId, keys }, () => addNodes(qmp, diskId, nodes))
    const data = { node: nodeOfLayer(diskId, top), overlay: nodeOfLayer(diskId, layer) }
    actions.push({ type: 'blockdev-snapshot', data })
  }
  if (actions.length === 0) return
  await qmp.run('transaction', { actions }, { timeoutMs: freezeTimeoutMs })
}

/**
 * Plugs the disk into the first free port; nothing where it is in already.
 * @throws StillHeld where the guest keeps the device of what was taken away from it.
 */
export async function plug(
  qmp: Qmp,
  { disk, chain }: { readonly disk: DiskSpec; readonly chain: Chain },
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<void> {
  if (await isPlugged(qmp, disk.id)) {
    if (!(await isGhost(qmp, disk.id))) return
    if (!(await letGo(qmp, disk.id, timeoutMs))) {
      throw new StillHeld(`the guest keeps the device of ${disk.id} until it is started anew`)
    }
  }
  const port = await freePort(qmp)
  const top = await topLayer(disk.folder)
  const { id: diskId, keys } = disk
  const nodes = nodesOfChain(diskId, chain)
  await withSecrets(qmp, { diskId, keys }, () => addNodes(qmp, diskId, nodes))
  await qmp.run('device_add', diskDevice(disk, { port, node: nodeOfLayer(disk.id, top) }))
}

/**
 * Asks the guest to give the disk up, and waits for that. Without its consent
 * (or its reset) the disk stays: `pending`, to be asked for again. By force, the
 * disk is taken away then: the guest keeps a device that fails, and the files are
 * free.
 */
export async function unplug(
  qmp: Qmp,
  diskId: string,
  { timeoutMs, isForced = false }: { readonly timeoutMs: number; readonly isForced?: boolean },
): Promise<'unplugged' | 'pending'> {
  if ((await isPlugged(qmp, diskId)) && !(await letGo(qmp, diskId, timeoutMs))) {
    if (!isForced && !(await isGhost(qmp, diskId))) return 'pending'
    await makeGhost(qmp, diskId)
  }
  try {
    const present = await presentNodes(qmp, diskId)
    const isKept = await isPlugged(qmp, diskId)
    await removeNodes(qmp, isKept ? present.filter((name) => !isOfGhost(diskId, name)) : present)
  } catch (error) {
    // QEMU forgets the device's name a moment before it lets go of its nodes.
    if (error instanceof QmpRefusal && /is in use/.test(error.description)) return 'pending'
    throw error
  }
  return 'unplugged'
}

/** Asks the guest to give up a device, and tells whether it did within the time. */
async function letGo(qmp: Qmp, diskId: string, timeoutMs: number): Promise<boolean> {
  const { promise: deleted, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(resolve, timeoutMs, false)
  const unlisten = qmp.listen({
    event: ({ event, data }) => {
      if (event === 'DEVICE_DELETED' && (data as { device?: string }).device === diskId) {
        resolve(true)
      }
    },
    closed: () => resolve(false),
  })
  try {
    await askToUnplug(qmp, diskId)
    return (await deleted) || !(await isPlugged(qmp, diskId))
  } finally {
    clearTimeout(timer)
    unlisten()
  }
}

/** Removes the nodes, those that rest on others first. */
export async function removeNodes(qmp: Qmp, names: readonly string[]): Promise<void> {
  for (const name of names) await qmp.run('blockdev-del', { 'node-name': name })
}

/** Grows what the guest sees of the disk, and the top layer with it. */
export async function resizeDisk(qmp: Qmp, diskId: string, sizeBytes: number): Promise<void> {
  const top = (await topLayers(qmp)).get(diskId)
  assert(top !== undefined, `the machine has no disk ${diskId}`)
  await qmp.run('block_resize', { 'node-name': nodeOfLayer(diskId, top), size: sizeBytes })
}

/** Puts something that only fails in the place of a disk's content, under the guest's device. */
async function makeGhost(qmp: Qmp, diskId: string): Promise<void> {
  if (await isGhost(qmp, diskId)) return
  const node = await driveOf(qmp, diskId)
  // One of an earlier time is another's size, or half made.
  const present = await presentNodes(qmp, diskId)
  await removeNodes(
    qmp,
    present.filter((name) => isOfGhost(diskId, name)),
  )
  const blocks = await qmp.run('query-block', undefined)
  const image = blocks.find(({ inserted }) => inserted?.['node-name'] === node)?.inserted?.image
  assert(image, `${diskId}: nobody knows how large it is`)
  for (const one of ghostNodes(diskId, image['virtual-size'])) await qmp.run('blockdev-add', one)
  const value = ghostOf(diskId)
  await qmp.run('qom-set', { path: `${devices}/${diskId}`, property: 'drive', value })
}

async function isGhost(qmp: Qmp, diskId: string): Promise<boolean> {
  return (await driveOf(qmp, diskId)) === ghostOf(diskId)
}

/** The node that the guest's device reads and writes. */
async function driveOf(qmp: Qmp, diskId: string): Promise<unknown> {
  return await qmp.run('qom-get', { path: `${devices}/${diskId}`, property: 'drive' })
}

async function askToUnplug(qmp: Qmp, diskId: string): Promise<void> {
  try {
    await qmp.run('device_del', { id: diskId })
  } catch (error) {
    // It was asked before, and has not answered yet; or it answers at this moment.
    if (!(error instanceof QmpRefusal)) throw error
    const isUnderWay = /in the process of unplug/.test(error.description)
    if (!isUnderWay && error.kind !== 'DeviceNotFound') throw error
  }
}

/** Makes those of the nodes that are not there. */
export async function addNodes(
  qmp: Qmp,
  diskId: string,
  nodes: readonly (BlockNode | ServedNode)[],
): Promise<void> {
  const present = new Set(await presentNodes(qmp, diskId))
  for (const node of nodes) {
    if (!present.has(node['node-name'])) await qmp.run('blockdev-add', node)
  }
}

async function isPlugged(qmp: Qmp, diskId: string): Promise<boolean> {
  const children = await qmp.run('qom-list', { path: devices })
  return children.some(({ name }) => name === diskId)
}

async function freePort(qmp: Qmp): Promise<string> {
  const children = await qmp.run('qom-list', { path: devices })
  const taken = new Set<unknown>()
  for (const { name, type } of children) {
    if (!type.startsWith('child<')) continue
    const bus = await qmp.run('qom-get', { path: `${devices}/${name}`, property: 'parent_bus' })
    taken.add(String(bus).split('/').at(-1))
  }
  const ports = children.filter(({ type }) => type === 'child<pcie-root-port>')
  for (let index = 0; index < ports.length; index++) {
    if (!taken.has(portId(index))) return portId(index)
  }
  throw new NoFreePort(`all ${ports.length} ports are taken`)
}

/** The guest has not let go of a device that has no disk any more. */
export class StillHeld extends Error {
  override readonly name = 'StillHeld'
}

export class NoFreePort extends Error {
  override readonly name = 'NoFreePort'
}
