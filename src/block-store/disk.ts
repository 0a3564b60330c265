/**
 * The few things that the block store asks of a file system. Tests can lose power under it.
 * Names are `folder/file`. What `append` wrote is safe after `sync`, a name after `syncNames`.
 */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from './errors.ts'
import { Pages } from './pages.ts'
import { WrittenFile } from './written-file.ts'

export const folders = ['packs', 'manifests'] as const
export type Folder = (typeof folders)[number]

export interface FileInfo {
  readonly name: string
  readonly sizeBytes: number
  readonly modifiedAtMs: number
}

export interface Range {
  readonly offset: number
  readonly length: number
}

export interface NewFile {
  append(bytes: Uint8Array): Promise<void>
  /**
   * Ends the file, and makes the content survive a power cut. Fails where what is in it, read back,
   * is not what was appended.
   */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface Disk {
  list(folder: Folder): Promise<readonly FileInfo[]>
  /**
   * What there is of the range: less than asked where the file ends, nothing where there is none.
   * It may be put into the buffer, which is large enough.
   */
  read(name: string, range: Range, into?: ArrayBuffer): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Where the file is for a thread that reads it by itself; nowhere where only the disk can. */
  pathOf(name: string): string | undefined
  create(name: string): Promise<NewFile>
  rename(from: string, to: string): Promise<void>
  remove(name: string): Promise<void>
  /** Makes the names in the folder survive a power cut. */
  syncNames(folder: Folder): Promise<void>
}

/** The store's folder on a real file system. With `readOnly`, folders that lack are not made. */
export async function openDisk(directory: string, readOnly = false): Promise<Disk> {
  for (const folder of folders)
    if (!readOnly) await mkdir(join(directory, folder), { recursive: true })
  const pathOf = (name: string) => join(directory, name)
  const pages = new Pages()

  return {
    pathOf,
    async list(folder) {
      const names = await readdir(pathOf(folder))
      const infos = await Promise.all(
        names.map(async (name) => {
          const found = await stat(pathOf(`${folder}/${name}`)).catch(() => undefined)
          return found && { name, sizeBytes: found.size, modifiedAtMs: found.mtimeMs }
        }),
      )
      return infos.filter((info) => info !== undefined)
    },
    async read(name, { offset, length }, into = new ArrayBuffer(length)) {
      try {
        await using file = await open(pathOf(name), 'r')
        const bytes = new Uint8Array(into, 0, length)
        let at = 0
        while (at < length) {
          const { bytesRead } = await file.read(bytes, at, length - at, offset + at)
          if (bytesRead === 0) break
          at += bytesRead
        }
        return bytes.subarray(0, at)
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return undefined
        throw error
      }
    },
    create: (name) => WrittenFile.create(pathOf(name), pages),
    rename: (from, to) => rename(pathOf(from), pathOf(to)),
    remove: (name) => rm(pathOf(name), { force: true }),
    async syncNames(folder) {
      await using directoryFile = await open(pathOf(folder), 'r')
      await directoryFile.sync()
    },
  }
}
