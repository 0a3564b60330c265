/**
 * Merges the frozen layers of a volume that no machine has open down into the
 * lowest, never into the base. In this order, so that the volume reads the same
 * at every moment and the whole may be cut off anywhere and run again: copy the
 * data down, lead the layer above past what was emptied, remove that.
 */
import assert from 'node:assert/strict'
import { basename, dirname } from 'node:path'
import { sync } from './durable-file.ts'
import { imageOf } from './image-options.ts'
import { chainOf, type Layer, removeMergedLayers, topLayer } from './layers.ts'
import type { DiskKeys } from './luks.ts'
import { qemuImg } from './qemu-img.ts'

/**
 * Leaves one layer of those up to this one. What the layers in between held can
 * no longer be told apart: whoever reads them must be done.
 */
export async function mergeLayers(
  folder: string,
  { upTo, keys }: { readonly upTo: number; readonly keys?: DiskKeys | undefined },
): Promise<void> {
  const top = await topLayer(folder)
  assert(upTo < top, `${folder}: layer ${upTo} is not frozen`)
  const chain = await chainOf(folder, top)
  const { layers } = chain
  const frozen = layers.filter(({ layer }) => layer <= upTo)
  const above = layers[layers.length - frozen.length - 1]
  const [highest] = frozen
  const lowest = frozen.at(-1)
  assert(above, `${folder}: a layer above ${upTo}`)
  if (highest && lowest && highest !== lowest) {
    if (chain.isEncrypted) await commitOneByOne(folder, frozen, keys)
    else await qemuImg(['commit', '-q', '-f', 'qcow2', '-d', '-b', lowest.path, highest.path])
    await sync(lowest.path)
    // It alone is opened.
    const one = { ...chain, layers: [above], basePath: undefined }
    await relink(above, lowest.path, imageOf(one, keys))
  }
  await removeMergedLayers(folder)
}

/**
 * Each layer into the next: where layers are encrypted, `qemu-img` does not find a lower one
 * by its name. What a cut-off leaves in between reads the same.
 */
async function commitOneByOne(
  folder: string,
  frozen: readonly Layer[],
  keys: DiskKeys | undefined,
): Promise<void> {
  for (const { layer } of frozen.slice(0, -1)) {
    const { image, secrets } = imageOf(await chainOf(folder, layer), keys)
    await qemuImg(['commit', '-q', '-d', ...image], { secrets })
  }
}

/** Names another file as the backing of the image, trusting that both read the same. */
async function relink(
  { path }: Layer,
  backingPath: string,
  { image, secrets }: ReturnType<typeof imageOf>,
): Promise<void> {
  assert.equal(dirname(path), dirname(backingPath))
  const name = `./${basename(backingPath)}`
  await qemuImg(['rebase', '-q', '-u', '-F', 'qcow2', '-b', name, ...image], { secrets })
  await sync(path)
}
