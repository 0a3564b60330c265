/**
 * The folder of bases: raw files named by the digest of their disk, which
 * overlays lie over. A file that has its name is whole, and never changes.
 */
import { access, mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Digest, isDigest } from '../lib/digest.ts'
import { temporarySuffix } from './durable-file.ts'

const prefix = 'sha256:'

export function basePath(folder: string, digest: Digest): string {
  return join(folder, `${digest.slice(prefix.length)}.raw`)
}

/** Tells whether the base is there. Makes the folder where it is missing. */
export async function hasBase(folder: string, digest: Digest): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return await access(basePath(folder, digest)).then(
    () => true,
    () => false,
  )
}

/** The bases that are there, and those whose making was cut off. */
export async function listBases(folder: string): Promise<readonly Digest[]> {
  const names = await readdir(folder).catch(() => [])
  const digests = names
    .map((name) => `${prefix}${name.replace(temporarySuffix, '').replace(/\.raw$/, '')}`)
    .filter(isDigest)
  return [...new Set(digests)]
}

/** Removes a base and what there is of it. Nothing may lie over it. */
export async function removeBase(folder: string, digest: Digest): Promise<void> {
  const path = basePath(folder, digest)
  for (const one of [path, path + temporarySuffix]) {
    await unlink(one).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
