/**
 * Disks as an object keeps them, which is plain: encrypted ones are decrypted on their
 * way, and have other names there. What they are called is known when each of their
 * blocks was looked at once.
 */
import type { BlockCipher } from '../block-store/block-cipher.ts'
import { type BlockKey, keyOf } from '../block-store/block.ts'
import type { BlockStore } from '../block-store/block-store.ts'
import { inLanes } from '../block-store/lanes.ts'
import { blocksOf, type Manifest, manifestDigest, manifestOf } from '../block-store/manifest.ts'
import type { Digest } from '../lib/digest.ts'

type Store = Pick<BlockStore, 'readManifest' | 'readPackedBlock' | 'unsealBlock'>

export interface EncryptedDisk {
  readonly manifest: Digest
  /** What it is under, where it is encrypted. */
  readonly cipher: BlockCipher | undefined
}

interface Decrypted {
  /** What the disks are called in the object, in their order. */
  readonly manifests: readonly Digest[]
  /** Reads them under those names. */
  readonly source: Pick<Store, 'readManifest' | 'readPackedBlock'>
}

const blocksAtOnce = 8

export async function decryptDisks(
  store: Store,
  disks: readonly EncryptedDisk[],
  signal: AbortSignal,
): Promise<Decrypted> {
  const sealed = new Map<Digest, { readonly name: Digest; readonly cipher: BlockCipher }>()
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
      sealed.set(digest, { name, cipher })
      blocks.set(index, keyOf(digest))
    })
    const after = manifestOf(before.sizeBytes, blocks)
    const digest = manifestDigest(after)
    plain.set(digest, after)
    manifests.push(digest)
  }
  return {
    manifests,
    source: {
      readManifest: async (digest) => plain.get(digest) ?? (await store.readManifest(digest)),
      async readPackedBlock(digest) {
        const found = sealed.get(digest)
        if (!found) return await store.readPackedBlock(digest)
        return (await store.unsealBlock(found.name, found.cipher)).packed
      },
    },
  }
}
