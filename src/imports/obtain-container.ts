/**
 * Gets the disk of a container, from a bucket or a URL, into a raw file of the work
 * folder. What is inspected is a copy of our own, which nobody can change meanwhile.
 */
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Buckets, type StoredObject, TruncatedObject } from '../buckets/buckets.ts'
import type { Container, ContainerFormat } from '../import-tasks/container.ts'
import type { Owner } from '../lib/owner.ts'
import type { DiskFormat } from '../qemu/disk-format.ts'
import {
  CannotImport,
  convert,
  describeDisk,
  download,
  type Fetching,
  type ObtainedDisk,
  type Work,
} from './obtain-disk.ts'

const namesOfFormats: Readonly<Record<DiskFormat, ContainerFormat>> = {
  raw: 'RAW',
  qcow2: 'QCOW2',
  vmdk: 'VMDK',
  vpc: 'VHD',
  vhdx: 'VHDX',
}
const chunkBytes = 4 * 1024 * 1024

export interface ObtainedContainer extends ObtainedDisk {
  readonly format: ContainerFormat
  readonly fileBytes: number
}

/** Throws `CannotImport` where it will not work however often it is tried. */
export async function obtainContainer(
  { source, format: wanted }: Container,
  folder: string,
  work: Fetching & {
    readonly buckets: Pick<Buckets, 'open'>
    readonly owner: Owner
  },
): Promise<ObtainedContainer> {
  const file = join(folder, 'file')
  if (source.kind === 'url') await download(source.url, file, work)
  else if (source.kind === 'object') {
    const { bucket, key } = source
    await using object = await work.buckets.open({ ...work.owner, bucket, key })
    if (!object) throw inaccessible('404 Not Found')
    await copyObject(object, file, work)
  }
  const { size: fileBytes } = await stat(file)
  const path = join(folder, 'disk.raw')
  const found = await convert(file, path, {
    ...work,
    check: (each) => {
      const name = namesOfFormats[each]
      if (!wanted || wanted === name) return
      throw new CannotImport(`Unsupported ${wanted} File Format: it is ${name}`)
    },
  })
  await rm(file)
  return { ...(await describeDisk(path)), format: namesOfFormats[found], fileBytes }
}

const inaccessible = (reason: string) =>
  new CannotImport(`We do not have access to the given resource. Reason ${reason}`)

async function copyObject(
  object: StoredObject,
  to: string,
  { progress, signal }: Work,
): Promise<void> {
  const { sizeBytes } = object
  await using file = await open(to, 'wx', 0o600)
  for (let at = 0; at < sizeBytes; at += chunkBytes) {
    signal.throwIfAborted()
    const length = Math.min(chunkBytes, sizeBytes - at)
    const bytes = await object.read(at, length).catch((error: unknown) => {
      throw error instanceof TruncatedObject ? new CannotImport(error.message) : error
    })
    await file.writeFile(bytes)
    progress('downloading', at + length, sizeBytes)
  }
}
