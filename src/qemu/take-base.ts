/**
 * Disks that read their base from a server since before it was a file. QEMU itself is asked which do,
 * and when the file is there its node takes the place of the server's under the lowest layer, while the
 * guest goes on: both read the same. Cut off anywhere, it is done again.
 * https://www.qemu.org/docs/master/interop/qemu-qmp-ref.html#command-QMP-block-core.blockdev-reopen
 */
import assert from 'node:assert/strict'
import { nodesOfBaseFile, nodesOver, parseServedNode, servedNodeOf } from './block-nodes.ts'
import { withSecrets } from './disk-secrets.ts'
import { addNodes, presentNodes, removeNodes, topLayers } from './disks.ts'
import { chainOf } from './layers.ts'
import type { DiskKeys } from './luks.ts'
import type { Qmp } from './qmp.ts'

/** The disks whose bases are read from a server. */
export async function servedDisks(qmp: Qmp): Promise<readonly string[]> {
  const nodes = await qmp.run('query-named-block-nodes', { flat: true })
  return nodes
    .map((node) => parseServedNode(node['node-name'] ?? ''))
    .filter((diskId) => diskId !== undefined)
}

/** Has the disk read its base from the file, which is there. Tells whether it does. */
export async function takeBase(
  qmp: Qmp,
  {
    diskId,
    folder,
    keys,
  }: {
    readonly diskId: string
    readonly folder: string
    readonly keys?: DiskKeys | undefined
  },
): Promise<boolean> {
  const top = (await topLayers(qmp)).get(diskId)
  // It is being plugged in, or was taken away by force.
  if (top === undefined) return false
  const chain = await chainOf(folder, top)
  const { basePath, isEncrypted } = chain
  const lowest = chain.layers.at(-1)
  assert(lowest && basePath !== undefined, `${folder}: has no base`)
  const base = nodesOfBaseFile(diskId, chain)
  const backing = base.at(-1)?.['node-name'] ?? null
  const isReadOnly = lowest.layer !== top
  const over = nodesOver(diskId, lowest.path, { backing, isReadOnly, isEncrypted })
  await withSecrets(qmp, { diskId, keys }, async () => {
    await addNodes(qmp, diskId, base)
    await qmp.run('blockdev-reopen', { options: over.slice(-1) })
  })
  const present = await presentNodes(qmp, diskId)
  await removeNodes(
    qmp,
    present.filter((name) => name === servedNodeOf(diskId)),
  )
  return true
}
