/**
 * How a chain of layers is named to `qemu-img`. A plain one by its path; an encrypted one
 * with the secret of each of its files, by ids that are the same in every process.
 */
import assert from 'node:assert/strict'
import type { Chain } from './layers.ts'
import type { DiskKeys } from './luks.ts'
import type { NamedSecret } from './secret-file.ts'

const layersSecret = 'layers'
const baseSecret = 'base'

/** The arguments that name the image, and the secrets that they refer to. */
export function imageOf(
  { layers, basePath, isEncrypted }: Chain,
  keys: DiskKeys | undefined,
): { readonly image: readonly string[]; readonly secrets: readonly NamedSecret[] } {
  const [top] = layers
  assert(top, 'no layers')
  if (!isEncrypted) return { image: ['-f', 'qcow2', top.path], secrets: [] }
  assert(keys, `${top.path}: is encrypted, and there is no key`)
  const secrets = [{ id: layersSecret, secret: keys.layers.passphrase() }]
  let image: object | null = null
  if (basePath !== undefined) {
    assert(keys.base, `${basePath}: is encrypted, and there is no key`)
    secrets.push({ id: baseSecret, secret: keys.base.passphrase() })
    image = node(basePath, baseSecret, null)
  }
  for (const { path } of layers.toReversed()) image = node(path, layersSecret, image)
  return { image: [`json:${JSON.stringify(image)}`], secrets }
}

function node(filename: string, secret: string, backing: object | null): object {
  return {
    driver: 'qcow2',
    file: { driver: 'file', filename },
    encrypt: { format: 'luks', 'key-secret': secret },
    backing,
  }
}
