/** A disk in a bucket of the administrator's, as `imago bundle` puts it there. */
import { createReadStream } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeBundle } from '../src/bundles/write-bundle.ts'
import { accountId, region } from './system.ts'

const bucket = 'images'

/** Answers the `ImageLocation` that it has then, and the folder that it is in. */
export async function putBundle(
  dataFolder: string,
  disk: string,
  prefix: string,
): Promise<{ readonly location: string; readonly folder: string }> {
  const root = join(dataFolder, 'buckets', accountId, region, bucket)
  const folder = join(root, prefix)
  await mkdir(folder, { recursive: true })
  const key = `${prefix}/image.manifest.xml`
  await writeBundle(
    { sizeBytes: (await stat(disk)).size, bytes: piecesOf(disk) },
    { key, name: 'image', user: accountId, architecture: 'x86_64' },
    (object, bytes) => writeFile(join(root, object), bytes),
  )
  return { location: `${bucket}/${key}`, folder }
}

async function* piecesOf(path: string): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 }))
    yield piece as Buffer
}
