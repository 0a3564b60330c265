/**
 * `imago bundle FILE --bucket B`: puts a disk into a bucket as a manifest with its parts,
 * of which an instance-store image can be registered. Buckets are folders, so it writes
 * into the data folder itself.
 */
import { createReadStream } from 'node:fs'
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Buckets, ObjectExists } from '../../buckets/buckets.ts'
import { isBucketName, isObjectKey } from '../../buckets/names.ts'
import { diskBytesMax } from '../../bundles/bundle.ts'
import { sectorBytes } from '../../bundles/manifest.ts'
import { writeBundle } from '../../bundles/write-bundle.ts'
import { findBootMode } from '../../imports/boot-mode.ts'
import { convertToRaw, inspectDiskImage } from '../../qemu/images.ts'
import { CommandFailed } from '../failure.ts'
import { readInstallation } from '../installation.ts'
import { Progress } from '../progress.ts'
import { say, type Shell } from '../shell.ts'

export interface BundleOptions {
  readonly bucket: string
  readonly prefix?: string
  readonly architecture: string
}

const name = 'image'
const cpuSecondsMax = 3600

export async function bundleDisk(
  shell: Shell,
  file: string,
  { bucket, prefix, architecture }: BundleOptions,
): Promise<void> {
  const { config, access } = readInstallation(shell)
  const key = [...(prefix ? [prefix.replace(/\/+$/, '')] : []), `${name}.manifest.xml`].join('/')
  if (!isBucketName(bucket) || !isObjectKey(key)) {
    throw new CommandFailed(`Cannot write to ${bucket}/${key}: it is no place in a bucket`)
  }
  if (architecture !== 'x86_64' && architecture !== 'arm64') {
    throw new CommandFailed(`Cannot use the architecture, x86_64 or arm64: ${architecture}`)
  }
  const { accountId, dataFolder } = config
  const buckets = new Buckets(join(dataFolder, 'buckets'))
  const place = { accountId, region: access.region, bucket }
  if (!(await buckets.hasBucket(place))) {
    const folder = join(dataFolder, 'buckets', accountId, access.region, bucket)
    throw new CommandFailed(`There is no such bucket. Make it: mkdir -p ${folder}`)
  }
  if (await buckets.hasObject({ ...place, key })) {
    throw new CommandFailed(`There is a bundle already: ${bucket}/${key}`)
  }
  const work = await mkdtemp(join(tmpdir(), 'imago-bundle-'))
  try {
    const path = await rawDisk(resolve(shell.folder, file), work)
    const bootMode = await bootModeOf(path)
    const bundle = await writeBundle(
      await readDisk(path, shell),
      { key, name, user: accountId, architecture },
      async (part, bytes) =>
        await buckets.put({ ...place, key: part }, 'bundle', (append) => append(bytes)),
    )
    say(shell, `Wrote ${bundle.parts.length} parts and ${bucket}/${key}. Now register it:`)
    say(
      shell,
      `  imago aws ec2 register-image --name NAME --image-location ${bucket}/${key} ` +
        `--virtualization-type hvm --boot-mode ${bootMode} --ena-support`,
    )
  } catch (error) {
    if (error instanceof ObjectExists) {
      throw new CommandFailed(`${error.message}. Remove it, or choose another --prefix`)
    }
    throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** The disk as a raw file, which it may be already. */
async function rawDisk(file: string, work: string): Promise<string> {
  try {
    const { format } = await inspectDiskImage(file, { sizeBytesMax: diskBytesMax })
    if (format === 'raw') return file
    const path = join(work, 'disk.raw')
    await convertToRaw({ path: file, format }, path, { cpuSecondsMax })
    return path
  } catch (error) {
    throw new CommandFailed(`Cannot bundle ${file}: ${(error as Error).message}`)
  }
}

async function bootModeOf(path: string): Promise<string> {
  await using disk = await open(path, 'r')
  return await findBootMode(disk)
}

/** Its bytes, with zeros up to a whole sector. */
async function readDisk(path: string, shell: Shell) {
  const { size } = await stat(path)
  const padding = -size & (sectorBytes - 1)
  const sizeBytes = size + padding
  async function* bytes(): AsyncGenerator<Buffer> {
    using progress = new Progress(shell)
    let doneBytes = 0
    for await (const piece of createReadStream(path, { highWaterMark: 2 ** 20 })) {
      doneBytes += (piece as Buffer).length
      progress.show({ message: 'bundling', doneBytes, totalBytes: sizeBytes })
      yield piece as Buffer
    }
    if (padding > 0) yield Buffer.alloc(padding)
  }
  return { sizeBytes, bytes: bytes() }
}
