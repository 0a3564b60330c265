/**
 * The manifests of a store: one file each, named by the digest of its plain bytes.
 * Invariant: a name that is known is there for good, until it is removed.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, digestOf, isDigest } from '../lib/digest.ts'
import { messageOf } from '../lib/message-of.ts'
import type { BlockKey } from './block.ts'
import type { BlockCipher } from './block-cipher.ts'
import type { Disk, FileInfo } from './disk.ts'
import { asDiskFull, CorruptManifest, MissingManifest } from './errors.ts'
import { decodeManifest, encodeManifest, keyAt, type Manifest } from './manifest.ts'
import { keysInManifest } from './manifest-keys.ts'
import {
  isSealedManifest,
  keysOfSealed,
  namesOfSealed,
  openManifest,
  sealManifest,
} from './sealed-manifest.ts'

export interface ManifestFile {
  readonly sizeBytes: number
  readonly writtenAtMs: number
}

const partBytes = 256 * 1024

export class Manifests {
  readonly #disk: Disk
  readonly #known = new Map<Digest, ManifestFile>()
  /** Writing and removing one name never overlap. */
  readonly #busy = new Map<Digest, Promise<void>>()

  constructor(disk: Disk, files: readonly FileInfo[]) {
    this.#disk = disk
    for (const { name, sizeBytes, modifiedAtMs } of files) {
      const digest = `sha256:${name}`
      if (isDigest(digest)) this.#known.set(digest, { sizeBytes, writtenAtMs: modifiedAtMs })
    }
  }

  files(): ReadonlyMap<Digest, ManifestFile> {
    return this.#known
  }

  /** When it resolves, the manifest is there for good. Its blocks must be already. */
  async write({ file, digest }: EncodedManifest, writtenAtMs: number): Promise<void> {
    while (this.#busy.has(digest)) await this.#busy.get(digest)?.catch(() => {})
    if (this.#known.has(digest)) return
    await this.#exclusively(digest, async () => {
      const sizeBytes = await this.#writeFile(file, digest)
      this.#known.set(digest, { sizeBytes, writtenAtMs })
    })
  }

  /** Puts the content where the file of that name is damaged or missing. */
  async replace(plain: Buffer, digest: Digest, writtenAtMs: number): Promise<void> {
    await this.#exclusively(digest, async () => {
      const sizeBytes = await this.#writeFile(packManifest(plain), digest)
      this.#known.set(digest, { sizeBytes, writtenAtMs })
    })
  }

  /** A manifest that is encrypted needs its cipher, and one that is not takes none. */
  async read(digest: Digest, cipher?: BlockCipher): Promise<Manifest> {
    return unpackManifest(digest, await this.#readFile(digest), cipher)
  }

  /** What anybody can tell of a manifest: its blocks, and its content where that is not encrypted. */
  async readNames(digest: Digest): Promise<NamedBlocks> {
    return namesIn(digest, await this.#readFile(digest))
  }

  /** Buffers of the keys of its blocks, each at least once, one behind the other. */
  async *readKeys(digest: Digest): AsyncGenerator<Buffer> {
    if (isSealedManifest(await this.#readPart(digest, 0))) {
      const file = await this.#readFile(digest)
      yield asCorrupt(digest, () => keysOfSealed(digest, file))
      return
    }
    // That the disk cannot be read says nothing of what is on it.
    const failures: unknown[] = []
    try {
      yield* keysInManifest(digest, this.#parts(digest, failures))
    } catch (error) {
      if (failures.length > 0) throw failures[0]
      throw new CorruptManifest(digest, messageOf(error))
    }
  }

  async *#parts(digest: Digest, failures: unknown[]): AsyncGenerator<Uint8Array> {
    const { sizeBytes = 0 } = this.#known.get(digest) ?? {}
    try {
      for (let offset = 0; offset < sizeBytes; offset += partBytes) {
        yield await this.#readPart(digest, offset)
      }
    } catch (error) {
      failures.push(error)
      throw error
    }
  }

  async #readPart(digest: Digest, offset: number): Promise<Uint8Array> {
    const file = this.#known.get(digest)
    const length = Math.min(partBytes, (file?.sizeBytes ?? 0) - offset)
    const bytes = file && (await this.#disk.read(pathOf(digest), { offset, length }))
    if (!bytes) throw new MissingManifest(digest)
    return bytes
  }

  async #readFile(digest: Digest): Promise<Buffer> {
    const file = this.#known.get(digest)
    if (!file) throw new MissingManifest(digest)
    const bytes = await this.#disk.read(pathOf(digest), { offset: 0, length: file.sizeBytes })
    if (!bytes) throw new MissingManifest(digest)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Forgets the manifest at once; the file is gone when it resolves. */
  async remove(digest: Digest): Promise<void> {
    this.#known.delete(digest)
    await this.#exclusively(digest, () => this.#disk.remove(pathOf(digest)))
  }

  async #exclusively(digest: Digest, work: () => Promise<void>): Promise<void> {
    const done = work().finally(() => this.#busy.delete(digest))
    this.#busy.set(digest, done)
    await done
  }

  async #writeFile(bytes: Buffer, digest: Digest): Promise<number> {
    const temporary = `${pathOf(digest)}.tmp`
    try {
      const file = await this.#disk.create(temporary)
      try {
        await file.append(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      const range = { offset: 0, length: bytes.length }
      const written = (await this.#disk.read(temporary, range)) ?? new Uint8Array()
      if (!bytes.equals(written)) throw new CorruptManifest(digest, 'it was just written')
      await this.#disk.rename(temporary, pathOf(digest))
      await this.#disk.syncNames('manifests')
      return bytes.length
    } catch (error) {
      await this.#disk.remove(temporary).catch(() => {})
      throw asDiskFull(error, temporary)
    }
  }
}

function unpackManifest(digest: Digest, file: Buffer, cipher?: BlockCipher): Manifest {
  return asCorrupt(digest, () => {
    if (cipher) return openManifest(digest, file, cipher)
    if (isSealedManifest(file)) throw new Error('it is encrypted')
    const plain = zstdDecompressSync(file)
    if (digestOf(plain) !== digest) throw new Error('its content does not match its name')
    return decodeManifest(plain)
  })
}

/** The blocks of a manifest, each at least once. */
export interface NamedBlocks {
  readonly keys: Iterable<BlockKey>
  readonly plain: Manifest | undefined
}

function namesIn(digest: Digest, file: Buffer): NamedBlocks {
  if (isSealedManifest(file)) {
    return { keys: asCorrupt(digest, () => namesOfSealed(digest, file)), plain: undefined }
  }
  const plain = unpackManifest(digest, file)
  return { keys: keysOf(plain), plain }
}

export function* keysOf(manifest: Manifest): Generator<BlockKey> {
  for (const position of manifest.indexes.keys()) yield keyAt(manifest, position)
}

function asCorrupt<T>(digest: Digest, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new CorruptManifest(digest, messageOf(error))
  }
}

/** A manifest as a file, with its name. */
export interface EncodedManifest {
  readonly file: Buffer
  readonly digest: Digest
}

export function encodedManifest(manifest: Manifest, cipher?: BlockCipher): EncodedManifest {
  if (cipher) return sealManifest(manifest, cipher)
  const plain = encodeManifest(manifest)
  return { file: packManifest(plain), digest: digestOf(plain) }
}

function packManifest(plain: Buffer): Buffer {
  return zstdCompressSync(plain, { params: { [constants.ZSTD_c_compressionLevel]: 3 } })
}

const pathOf = (digest: Digest): string => `manifests/${digest.slice('sha256:'.length)}`
