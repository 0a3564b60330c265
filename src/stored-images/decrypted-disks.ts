/**
 * Disks as an object keeps them, which is plain: encrypted ones are decrypted on their
 * way, and have other names there. What they are called is known when each of their
 * blocks was looked at once.
 */
import assert from 'node:assert/strict'
import type { BlockCipher } from '../block-store/block-cipher.ts'
import { type BlockKey, keyOf } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { inLanes } from '../block-store/lanes.ts'
import { blocksOf, type Manifest, manifestDigest, manifestOf } from '../block-store/manifest.ts'
import type { Digest } from '../lib/digest.ts'

type Store = Pick<BlockStore, 'readManifest' | 'readPackedBlocks' | 'unsealBlock'>

export interface EncryptedDisk {
  readonly manifest: Digest
  /** What it is under, where it is encrypted. */
  readonly cipher: BlockCipher | undefined
}

interface Decrypted {
  /** What the disks are called in the object, in their order. */
  readonly manifests: readonly Digest[]
  /** Reads them under those names. */
  readonly source: Pick<Store, 'readManifest' | 'readPackedBlocks'>
}

const blocksAtOnce = 8

export async function decryptDisks(
  store: Store,
  disks: readonly EncryptedDisk[],
  signal: AbortSignal,
): Promise<Decrypted> {
  const sealed = new Map<BlockKey, { readonly name: Digest; readonly cipher: BlockCipher }>()
  const plain = new Map<Digest, Manifest>()
  const manifests: Digest[] = []
  for (const { manifest, cipher } of disks) {
    if (!cipher) {
      manifests.push(manifest)
      continue
    }
    const before = await store.readManifest(manifest, cipher)
    const blocks = new Map<number, BlockKey>()
    await inLanes(blocksAtOnce, blocksOf(before), async ([index, name]) => {
      signal.throwIfAborted()
      const { digest } = await store.unsealBlock(name, cipher)
      const key = keyOf(digest)
      sealed.set(key, { name, cipher })
      blocks.set(index, key)
    })
    const after = manifestOf(before.sizeBytes, blocks)
    const digest = manifestDigest(after)
    plain.set(digest, after)
    manifests.push(digest)
  }
  const unseal = async (key: BlockKey) => {
    const found = sealed.get(key)
    assert(found, 'a block that is not plain was sealed')
    return (await store.unsealBlock(found.name, found.cipher)).packed
  }
  return {
    manifests,
    source: {
      readManifest: async (digest) => plain.get(digest) ?? (await store.readManifest(digest)),
      async readPackedBlocks(keys) {
        const plainKeys = keys.filter((key) => !sealed.has(key))
        const blocks = await store.readPackedBlocks(plainKeys)
        const found = new Map(plainKeys.map((key, position) => [key, blocks[position]]))
        return await Promise.all(keys.map(async (key) => found.get(key) ?? (await unseal(key))))
      },
    },
  }
}
