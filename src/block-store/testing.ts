/** What the tests of the block store share: blocks by number, stores, and histories of uploads. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Digest, digestOf } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes, digestOfKey, keyOf, packBlock } from './block.ts'
import { type BlockCipher, cipherOf } from './block-cipher.ts'
import { BlockStore } from './block-store.ts'
import type { Disk } from './disk.ts'
import { CorruptManifest } from './errors.ts'
import { blocksOf, manifestOf } from './manifest.ts'
import { nameBlock } from './sealed-block.ts'
import type { Finding } from './verify.ts'

const numbered = new Map<number, Uint8Array>()

/** A block of its own for each number; zeros for 0. */
export function blockNumber(number: number): Uint8Array {
  const block = numbered.get(number) ?? new Uint8Array(blockSizeBytes).fill(number)
  numbered.set(number, block)
  return block
}

/** None for 0. */
export const keyNumber = (number: number): BlockCipher | undefined =>
  number === 0 ? undefined : cipherOf(Buffer.alloc(32, number))

const digests = new Map<number, Digest>()

export function digestNumber(number: number): Digest {
  const digest = digests.get(number) ?? digestOf(blockNumber(number))
  digests.set(number, digest)
  return digest
}

/** A clock that never stands still. */
export function clock(): () => Date {
  let ms = 1000
  return () => new Date(ms++)
}

export function openStore(folder: string | Disk, now: () => Date = clock()): Promise<BlockStore> {
  return BlockStore.open({ folder, now, graceMs: 0, workers: 0 })
}

/** A folder that is gone after the test, and what `before` undoes before that. */
export async function temporaryFolder(
  context: TestContext,
  before: (folder: string) => unknown = () => {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'block-store-'))
  context.after(async () => {
    await before(folder)
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

export async function findingsOf(store: BlockStore, live: Iterable<Digest> = []) {
  const findings: Finding[] = []
  for await (const finding of store.verify({ live })) findings.push(finding)
  return findings
}

/** Stores a disk of numbered blocks; `name` runs before the upload lets go. */
export async function saveNumbers(
  store: BlockStore,
  numbers: readonly number[],
  name: (manifest: Digest) => void = () => {},
  cipher?: BlockCipher,
): Promise<Digest> {
  using upload = store.beginUpload(cipher)
  const digests = await Promise.all(numbers.map((number) => upload.putBlock(blockNumber(number))))
  const blocks = new Map<number, BlockKey>(digests.map((digest, index) => [index, keyOf(digest)]))
  const sizeBytes = numbers.length * blockSizeBytes
  const manifest = await upload.putManifest(manifestOf(sizeBytes, blocks))
  name(manifest)
  return manifest
}

/** The same disk from blocks that come packed. */
export async function takeNumbers(
  store: BlockStore,
  numbers: readonly number[],
  name: (manifest: Digest) => void,
): Promise<void> {
  using upload = store.beginUpload()
  const coming = [...new Set(numbers)].filter((number) => number !== 0)
  await upload.takeBlocks(async (into) => {
    const number = coming.pop()
    if (number === undefined) return undefined
    const packed = packBlock(blockNumber(number))
    into.set(packed)
    return [{ key: keyOf(digestNumber(number)), at: 0, length: packed.length }]
  })
  const blocks = new Map(numbers.map((number, index) => [index, keyOf(digestNumber(number))]))
  name(await upload.putManifest(manifestOf(numbers.length * blockSizeBytes, blocks)))
}

/** A disk under whichever key it is. */
export async function openDisk(store: BlockStore, manifest: Digest) {
  const found = []
  for (const cipher of [0, 1, 2].map(keyNumber)) {
    try {
      found.push({ content: await store.readManifest(manifest, cipher), cipher })
    } catch (error) {
      if (!(error instanceof CorruptManifest)) throw error
    }
  }
  const [opened] = found
  assert(opened && found.length === 1, `${manifest} is under one key`)
  return opened
}

/** Reads every block of a disk, which fails where one is missing or damaged. */
export async function readAll(store: BlockStore, manifest: Digest): Promise<void> {
  const { content, cipher } = await openDisk(store, manifest)
  for (const [, digest] of blocksOf(content)) {
    const block = await store.readBlock(digest, cipher)
    assert.equal(digestOfKey(nameBlock(block, cipher)), digest)
  }
}
