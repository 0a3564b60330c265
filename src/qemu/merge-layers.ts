/**
 * Merges the frozen layers of a volume that no machine has open down into the
 * lowest, never into the base. In this order, so that the volume reads the same
 * at every moment and the whole may be cut off anywhere and run again: copy the
 * data down, lead the layer above past what was emptied, remove that.
 */
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { sync } from './durable-file.ts'
import { chainOf, removeMergedLayers, topLayer } from './layers.ts'
import { qemuImg } from './qemu-img.ts'

/**
 * Leaves one layer of those up to this one. What the layers in between held can
 * no longer be told apart: whoever reads them must be done.
 */
export async function mergeLayers(
  folder: string,
  { upTo }: { readonly upTo: number },
): Promise<void> {
  const top = await topLayer(folder)
  assert(upTo < top, `${folder}: layer ${upTo} is not frozen`)
  const { layers } = await chainOf(folder, top)
  const frozen = layers.filter(({ layer }) => layer <= upTo)
  const above = layers[layers.length - frozen.length - 1]
  const [highest] = frozen
  const lowest = frozen.at(-1)
  assert(above, `${folder}: a layer above ${upTo}`)
  if (highest && lowest && highest !== lowest) {
    await qemuImg(['commit', '-q', '-f', 'qcow2', '-d', '-b', lowest.path, highest.path])
    await sync(lowest.path)
    await relink(above.path, lowest.path)
  }
  await removeMergedLayers(folder)
}

/** Names another file as the backing of the image, trusting that both read the same. */
async function relink(path: string, backingPath: string): Promise<void> {
  assert.equal(dirname(path), dirname(backingPath))
  const name = `./${basename(backingPath)}`
  await qemuImg(['rebase', '-q', '-f', 'qcow2', '-u', '-F', 'qcow2', '-b', name, path])
  await sync(path)
}
