/**
 * Reads a bundle: its parts one after the other, unpacked, into the block store. Each
 * part is what its digest says and the disk is as long as it should be, or the reader
 * throws `BadBundle`; no more is unpacked than a disk of that size has.
 */
import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { type BlockKey, blockSizeBytes, isZero, keyOf } from '../block-store/block.ts'
import { manifestOf } from '../block-store/manifest.ts'
import type { Upload } from '../block-store/upload.ts'
import { type StoredObject, TruncatedObject } from '../buckets/buckets.ts'
import type { Digest } from '../lib/digest.ts'
import { BadBundle, type BundleManifest } from './bundle.ts'
import { checkTarHeader, paddingOf, tarBlockBytes } from './tar.ts'

const readBytes = 2 ** 20
/** Stored at once, so that they share a pack. */
const batchBlocks = 64
/** Writers of tar fill up what they write with zeros. */
const trailerBytesMax = 2 ** 20

export interface Reading {
  readonly upload: Pick<Upload, 'storeBlock' | 'putManifest'>
  /** Opens a part by its name; nothing where there is none. */
  readonly open: (name: string) => Promise<StoredObject | undefined>
  /** Asked from time to time. Throws where nobody waits for the disk any more. */
  readonly goOn: () => Promise<void>
  readonly signal: AbortSignal
}

/** Brings the disk of a bundle into the block store, and tells what it is there. */
export async function readBundle(manifest: BundleManifest, reading: Reading): Promise<Digest> {
  const { upload, signal } = reading
  const blocks = new Map<number, BlockKey>()
  const read = { parts: 0 }
  const hash = createHash('sha256')
  try {
    await pipeline(
      Readable.from(partBytes(manifest, reading, read), { objectMode: true }),
      createGunzip(),
      async (unpacked: AsyncIterable<Buffer>) => {
        await storeDisk(new Bytes(unpacked, hash), manifest.sizeBytes, blocks, reading)
      },
      { signal },
    )
  } catch (error) {
    signal.throwIfAborted()
    throw asBadBundle(error)
  }
  if (read.parts < manifest.parts.length) throw new BadBundle('it ends before its last part')
  if (`sha256:${hash.digest('hex')}` !== manifest.digest) throw new BadBundle('its disk is damaged')
  return await upload.putManifest(manifestOf(manifest.sizeBytes, blocks))
}

async function* partBytes(
  { parts, bundledSizeBytes }: BundleManifest,
  { open }: Reading,
  read: { parts: number },
): AsyncGenerator<Buffer> {
  let left = bundledSizeBytes
  for (const [index, { name, digest }] of parts.entries()) {
    await using object = await open(name)
    if (!object) throw new BadBundle(`part ${index} is gone`)
    left -= object.sizeBytes
    if (left < 0) throw new BadBundle('its parts are larger than it says')
    const hash = createHash('sha256')
    for (let at = 0; at < object.sizeBytes; at += readBytes) {
      const bytes = await object.read(at, Math.min(readBytes, object.sizeBytes - at))
      hash.update(bytes)
      yield bytes
    }
    if (`sha256:${hash.digest('hex')}` !== digest) throw new BadBundle(`part ${index} is damaged`)
    read.parts++
  }
  if (left > 0) throw new BadBundle('its parts are smaller than it says')
}

async function storeDisk(
  bytes: Bytes,
  sizeBytes: number,
  blocks: Map<number, BlockKey>,
  { upload, goOn }: Reading,
): Promise<void> {
  checkTarHeader(await bytes.exactly(tarBlockBytes), sizeBytes)
  let puts: Promise<unknown>[] = []
  const settle = async () => {
    await Promise.allSettled(puts)
    await Promise.all(puts)
    puts = []
  }
  try {
    for (let at = 0; at < sizeBytes; at += blockSizeBytes) {
      const block = Buffer.from(new ArrayBuffer(blockSizeBytes))
      await bytes.fill(block.subarray(0, Math.min(blockSizeBytes, sizeBytes - at)))
      if (isZero(block)) continue
      const put = upload
        .storeBlock(block)
        .then(({ digest }) => blocks.set(at / blockSizeBytes, keyOf(digest)))
      put.catch(() => {}) // It is thrown by `settle`, when nothing is under way any more.
      puts.push(put)
      if (puts.length < batchBlocks) continue
      await settle()
      await goOn()
    }
  } finally {
    await Promise.allSettled(puts)
  }
  await settle()
  await bytes.exactly(paddingOf(sizeBytes))
  await bytes.zerosToEnd()
}

/** The bytes of an archive, in the pieces that one asks for. */
class Bytes {
  readonly #source: AsyncIterator<Buffer>
  readonly #hash: Hash
  #rest: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Buffer>, hash: Hash) {
    this.#source = source[Symbol.asyncIterator]()
    this.#hash = hash
  }

  async exactly(count: number): Promise<Buffer> {
    const bytes = Buffer.alloc(count)
    await this.fill(bytes)
    return bytes
  }

  async fill(target: Buffer): Promise<void> {
    for (let at = 0; at < target.length;) {
      if (this.#rest.length === 0 && !(await this.#more())) {
        throw new BadBundle('its disk ends too soon')
      }
      const count = this.#rest.copy(target, at)
      this.#rest = this.#rest.subarray(count)
      at += count
    }
  }

  /** Reads up to the end, where nothing but zeros may be. */
  async zerosToEnd(): Promise<void> {
    let count = 0
    for (;;) {
      count += this.#rest.length
      if (count > trailerBytesMax || this.#rest.some((byte) => byte !== 0)) {
        throw new BadBundle('there is more in its archive than one disk')
      }
      if (!(await this.#more())) return
    }
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#source.next()
    this.#rest = done ? Buffer.alloc(0) : value
    if (!done) this.#hash.update(value)
    return !done
  }
}

/** Says of what only bad bytes can do that the bundle is bad. */
function asBadBundle(error: unknown): unknown {
  if (error instanceof TruncatedObject) return new BadBundle('a part of it ends too soon')
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const isOfStream = code.startsWith('Z_') || code === 'ERR_STREAM_PREMATURE_CLOSE'
  return isOfStream ? new BadBundle('its archive is damaged') : error
}
