/**
 * The folder of bases: files named by the digest of their disk, which overlays lie
 * over: raw ones, and encrypted ones, whose name also tells under which key they are.
 * A file that has its name is whole, and never changes.
 */
import { hash } from 'node:crypto'
import { access, mkdir, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Digest } from '../lib/digest.ts'
import { temporarySuffix } from './durable-file.ts'

const prefix = 'sha256:'

/** A disk as a base. */
export interface Base {
  readonly manifest: Digest
  /** The id of the key that the file is encrypted under. */
  readonly keyId?: string | undefined
}

/** A base, and what its content is under in the block store: that may be another key than the file's. */
export interface BaseSource {
  readonly base: Base
  readonly storedKeyArn: string | undefined
}

/** How much of a base is made, and whether the rest cannot be, because the content is damaged. */
export interface BaseProgress {
  readonly percent: number
  readonly isDamaged: boolean
}

/** What the file is called. Equal bases have equal names. */
export function baseName({ manifest, keyId }: Base): string {
  const disk = manifest.slice(prefix.length)
  return keyId === undefined ? `${disk}.raw` : `${disk}.${keyTag(keyId)}.luks`
}

const keyTag = (keyId: string): string => hash('sha256', keyId).slice(0, 16)

export function basePath(folder: string, base: Base): string {
  return join(folder, baseName(base))
}

export const isEncryptedBase = (path: string): boolean => path.endsWith('.luks')

/** Tells whether the base is there. Makes the folder where it is missing. */
export async function hasBase(folder: string, base: Base): Promise<boolean> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return await access(basePath(folder, base)).then(
    () => true,
    () => false,
  )
}

const nameOfBase = /^[0-9a-f]{64}\.(?:raw|[0-9a-f]{16}\.luks)$/

export const isBaseName = (name: string): boolean => nameOfBase.test(name)

/** The names of the bases that are there, and of those whose making was cut off. */
export async function listBases(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder).catch(() => [])
  const names = files.map((file) => file.replace(temporarySuffix, '')).filter(isBaseName)
  return [...new Set(names)]
}

/** Removes a base and what there is of it. Nothing may lie over it. */
export async function removeBase(folder: string, name: string): Promise<void> {
  const path = join(folder, name)
  for (const one of [path, path + temporarySuffix]) {
    await unlink(one).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
    })
  }
}
