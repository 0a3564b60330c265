/**
 * The manifests of a store: one file each, named by the digest of its plain bytes.
 * Invariant: a name that is known is there for good, until it is removed.
 */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Digest, digestOf, isDigest } from '../lib/digest.ts'
import type { Disk, FileInfo } from './disk.ts'
import { asDiskFull, CorruptManifest, MissingManifest } from './errors.ts'
import { decodeManifest, encodeManifest, type Manifest } from './manifest.ts'

export interface ManifestFile {
  readonly sizeBytes: number
  readonly writtenAtMs: number
}

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
  async write(plain: Buffer, digest: Digest, writtenAtMs: number): Promise<void> {
    while (this.#busy.has(digest)) await this.#busy.get(digest)?.catch(() => {})
    if (this.#known.has(digest)) return
    await this.#exclusively(digest, async () => {
      const sizeBytes = await this.#writeFile(plain, digest)
      this.#known.set(digest, { sizeBytes, writtenAtMs })
    })
  }

  /** Puts the content where the file of that name is damaged or missing. */
  async replace(plain: Buffer, digest: Digest, writtenAtMs: number): Promise<void> {
    await this.#exclusively(digest, async () => {
      const sizeBytes = await this.#writeFile(plain, digest)
      this.#known.set(digest, { sizeBytes, writtenAtMs })
    })
  }

  async read(digest: Digest): Promise<Manifest> {
    const file = this.#known.get(digest)
    if (!file) throw new MissingManifest(digest)
    const packed = await this.#disk.read(pathOf(digest), { offset: 0, length: file.sizeBytes })
    if (!packed) throw new MissingManifest(digest)
    return unpackManifest(digest, packed)
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

  async #writeFile(plain: Buffer, digest: Digest): Promise<number> {
    const params = { [constants.ZSTD_c_compressionLevel]: 3 }
    const packed = zstdCompressSync(plain, { params })
    const temporary = `${pathOf(digest)}.tmp`
    try {
      const file = await this.#disk.create(temporary)
      try {
        await file.append(packed)
        await file.sync()
      } finally {
        await file.close()
      }
      const range = { offset: 0, length: packed.length }
      unpackManifest(digest, (await this.#disk.read(temporary, range)) ?? new Uint8Array())
      await this.#disk.rename(temporary, pathOf(digest))
      await this.#disk.syncNames('manifests')
      return packed.length
    } catch (error) {
      await this.#disk.remove(temporary).catch(() => {})
      throw asDiskFull(error, temporary)
    }
  }
}

function unpackManifest(digest: Digest, packed: Uint8Array): Manifest {
  try {
    const plain = zstdDecompressSync(packed)
    if (digestOf(plain) !== digest) throw new Error('its content does not match its name')
    return decodeManifest(plain)
  } catch (error) {
    throw new CorruptManifest(digest, error instanceof Error ? error.message : String(error))
  }
}

export function encodedManifest(manifest: Manifest): { plain: Buffer; digest: Digest } {
  const plain = encodeManifest(manifest)
  return { plain, digest: digestOf(plain) }
}

const pathOf = (digest: Digest): string => `manifests/${digest.slice('sha256:'.length)}`
