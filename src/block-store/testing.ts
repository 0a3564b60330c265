/** What the tests of the block store share: blocks by number, stores, and histories of uploads. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Digest, digestOf } from '../lib/digest.ts'
import { type BlockKey, blockSizeBytes, keyOf } from './block.ts'
import { BlockStore } from './block-store.ts'
import type { Disk } from './disk.ts'
import { blocksOf, manifestOf } from './manifest.ts'
import type { Finding } from './verify.ts'

const numbered = new Map<number, Uint8Array>()

/** A block of its own for each number; zeros for 0. */
export function blockNumber(number: number): Uint8Array {
  const block = numbered.get(number) ?? new Uint8Array(blockSizeBytes).fill(number)
  numbered.set(number, block)
  return block
}

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
): Promise<Digest> {
  using upload = store.beginUpload()
  const digests = await Promise.all(numbers.map((number) => upload.putBlock(blockNumber(number))))
  const blocks = new Map<number, BlockKey>(digests.map((digest, index) => [index, keyOf(digest)]))
  const sizeBytes = numbers.length * blockSizeBytes
  const manifest = await upload.putManifest(manifestOf(sizeBytes, blocks))
  name(manifest)
  return manifest
}

/** Reads every block of a disk, which fails where one is missing or damaged. */
export async function readAll(store: BlockStore, manifest: Digest): Promise<void> {
  for (const [, digest] of blocksOf(await store.readManifest(manifest))) {
    assert.equal(digestOf(await store.readBlock(digest)), digest)
  }
}
