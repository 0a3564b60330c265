/**
 * Writes a bundle: a disk as parts, and then the manifest that names them. Without its
 * manifest a bundle is none, so one that was cut off is not taken for a whole one.
 */
import { createHash, type Hash } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { digestOf } from '../lib/digest.ts'
import { type BundleManifest, type BundlePart, keyBeside } from './bundle.ts'
import { writeManifest } from './manifest.ts'
import { paddingOf, tarEndBytes, writeTarHeader } from './tar.ts'

/** As large as those of EC2's own tools. */
const partBytes = 10 * 2 ** 20

export async function writeBundle(
  disk: { readonly sizeBytes: number; readonly bytes: AsyncIterable<Buffer> },
  about: {
    /** Of the manifest; the parts lie beside it. */
    readonly key: string
    /** What the files begin with. */
    readonly name: string
    readonly user: string
    readonly architecture: string
  },
  put: (key: string, bytes: Buffer) => Promise<void>,
): Promise<BundleManifest> {
  const { key, name, architecture } = about
  const { sizeBytes } = disk
  const hash = createHash('sha256')
  const parts: BundlePart[] = []
  let bundledSizeBytes = 0
  const putPart = async (bytes: Buffer) => {
    const part = `${name}.part.${String(parts.length).padStart(2, '0')}`
    await put(keyBeside(key, part), bytes)
    parts.push({ name: part, digest: digestOf(bytes) })
    bundledSizeBytes += bytes.length
  }
  await pipeline(
    Readable.from(archive(disk, name, hash), { objectMode: true }),
    createGzip(),
    async (packed: AsyncIterable<Buffer>) => {
      let waiting: Buffer[] = []
      let length = 0
      for await (const piece of packed) {
        waiting.push(piece)
        length += piece.length
        while (length >= partBytes) {
          const all = Buffer.concat(waiting)
          await putPart(all.subarray(0, partBytes))
          waiting = [all.subarray(partBytes)]
          length -= partBytes
        }
      }
      if (length > 0) await putPart(Buffer.concat(waiting))
    },
  )
  const digest = `sha256:${hash.digest('hex')}` as const
  const manifest = { architecture, sizeBytes, bundledSizeBytes, digest, parts }
  await put(key, writeManifest(manifest, about))
  return { ...manifest, rootDeviceName: undefined }
}

async function* archive(
  { sizeBytes, bytes }: { readonly sizeBytes: number; readonly bytes: AsyncIterable<Buffer> },
  name: string,
  hash: Hash,
): AsyncGenerator<Buffer> {
  const hashed = (piece: Buffer) => {
    hash.update(piece)
    return piece
  }
  yield hashed(writeTarHeader(`${name}.raw`, sizeBytes))
  for await (const piece of bytes) yield hashed(piece)
  yield hashed(Buffer.alloc(paddingOf(sizeBytes) + tarEndBytes))
}
