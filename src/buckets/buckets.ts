/**
 * Buckets of objects, as folders: `<account>/<Region>/<bucket>/<key>`. Whoever runs the
 * service makes the folders, or puts links in their place. Invariant: an object has its
 * name only when it is whole and synced, and no object takes the place of another.
 */
import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { asDiskFull, hasCode } from '../block-store/errors.ts'
import { Pages, sectorBytes } from '../block-store/pages.ts'
import { WrittenFile } from '../block-store/written-file.ts'
import { isBucketName, isObjectKey, temporaryPrefix } from './names.ts'

export interface BucketPlace {
  readonly accountId: string
  readonly region: string
  readonly bucket: string
}

export interface ObjectPlace extends BucketPlace {
  readonly key: string
}

/** An object that is open for reading. */
export interface StoredObject extends AsyncDisposable {
  readonly sizeBytes: number
  /** All of the range. Throws `TruncatedObject` where the object ends before. */
  read(offset: number, length: number): Promise<Buffer<ArrayBuffer>>
  /**
   * From there on as much as there is and goes into whole pages of memory: the offset is a multiple of
   * `sectorBytes`. Goes around the page cache. Tells how many bytes that is. Throws `TruncatedObject`.
   */
  fill(pages: Uint8Array, offset: number): Promise<number>
}

/**
 * Takes the bytes of an object that is being written: copies them at once, in the order of the
 * calls, and resolves when there is room for more.
 */
export type Append = (bytes: Uint8Array) => Promise<void>

export class TruncatedObject extends Error {
  constructor(key: string) {
    super(`The object ${key} is shorter than it should be`)
    this.name = 'TruncatedObject'
  }
}

export class NoSuchBucket extends Error {
  constructor(bucket: string) {
    super(`The specified bucket does not exist: ${bucket}`)
    this.name = 'NoSuchBucket'
  }
}

export class ObjectExists extends Error {
  constructor({ bucket, key }: ObjectPlace) {
    super(`The bucket ${bucket} has an object ${key} already`)
    this.name = 'ObjectExists'
  }
}

export class Buckets {
  readonly #folder: string
  readonly #pages = new Pages()

  constructor(folder: string) {
    this.#folder = folder
  }

  async hasBucket(place: BucketPlace): Promise<boolean> {
    const found = await stat(this.#bucketPath(place)).catch(orNothing)
    return found?.isDirectory() ?? false
  }

  async hasObject(place: ObjectPlace): Promise<boolean> {
    return (await stat(this.#objectPath(place)).catch(orNothing)) !== undefined
  }

  /** Opens an object; nothing where there is none. */
  async open(place: ObjectPlace): Promise<StoredObject | undefined> {
    // What is no file, such as a pipe, must not keep us waiting.
    const flags = constants.O_RDONLY | constants.O_NONBLOCK
    const file = await open(this.#objectPath(place), flags).catch(orNothing)
    if (!file) return undefined
    await using handles = new AsyncDisposableStack()
    handles.use(file)
    const found = await file.stat()
    return found.isFile() ? storedObject(file, handles.move(), found.size, place.key) : undefined
  }

  /** Every object there is, in any bucket. What else lies in the folders is left out. */
  async *listAll(): AsyncGenerator<ObjectPlace> {
    for (const accountId of await namesIn(this.#folder)) {
      for (const region of await namesIn(join(this.#folder, accountId))) {
        for (const bucket of await namesIn(join(this.#folder, accountId, region))) {
          const isPlace = /^\d{12}$/.test(accountId) && /^[a-z0-9-]+$/.test(region)
          if (!isPlace || !isBucketName(bucket)) continue
          const place = { accountId, region, bucket }
          for await (const key of keysIn(this.#bucketPath(place), '')) yield { ...place, key }
        }
      }
    }
  }

  /**
   * Writes an object. `name` tells one writer from another: what a writer before us has left
   * under the same name is written over. Throws `ObjectExists` where there is one by then.
   */
  async put(
    place: ObjectPlace,
    name: string,
    write: (append: Append) => Promise<void>,
  ): Promise<void> {
    if (!(await this.hasBucket(place))) throw new NoSuchBucket(place.bucket)
    const path = this.#objectPath(place)
    const temporary = this.#temporaryPath(place, name)
    await mkdir(dirname(path), { recursive: true })
    try {
      await writeFile(temporary, this.#pages, write)
      await publish(temporary, path, place)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw asDiskFull(error, `${place.bucket}/${place.key}`)
    }
  }

  /** Throws away what a writer has left that was cut off. */
  async discard(place: ObjectPlace, name: string): Promise<void> {
    await rm(this.#temporaryPath(place, name), { force: true }).catch(orNothing)
  }

  #bucketPath({ accountId, region, bucket }: BucketPlace): string {
    assert(/^\d{12}$/.test(accountId) && /^[a-z0-9-]+$/.test(region) && isBucketName(bucket))
    return join(this.#folder, accountId, region, bucket)
  }

  #objectPath(place: ObjectPlace): string {
    assert(isObjectKey(place.key), `no key of an object: ${place.key}`)
    return join(this.#bucketPath(place), place.key)
  }

  #temporaryPath(place: ObjectPlace, name: string): string {
    assert(/^[a-z0-9-]+$/.test(name), `no name of a writer: ${name}`)
    return join(dirname(this.#objectPath(place)), `${temporaryPrefix}${name}`)
  }
}

/** Nothing where it is no folder, or is gone. */
async function namesIn(folder: string): Promise<readonly string[]> {
  return ((await readdir(folder).catch(orNothing)) ?? []).toSorted()
}

async function* keysIn(bucketFolder: string, prefix: string): AsyncGenerator<string> {
  for (const name of await namesIn(join(bucketFolder, prefix))) {
    const key = `${prefix}${name}`
    if (!isObjectKey(key)) continue
    const found = await stat(join(bucketFolder, key)).catch(orNothing)
    if (found?.isFile()) yield key
    else if (found?.isDirectory()) yield* keysIn(bucketFolder, `${key}/`)
  }
}

/** Around the page cache, as packs are written: nobody reads an object again soon. */
async function writeFile(
  path: string,
  pages: Pages,
  write: (append: Append) => Promise<void>,
): Promise<void> {
  const file = await WrittenFile.create(path, pages, 0o600)
  try {
    await write((bytes) => file.append(bytes))
    await file.sync()
  } finally {
    await file.close()
  }
}

async function publish(temporary: string, path: string, place: ObjectPlace): Promise<void> {
  try {
    await link(temporary, path)
    await rm(temporary)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new ObjectExists(place)
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error
    // A file system that knows no second names.
    if (await stat(path).catch(orNothing)) throw new ObjectExists(place)
    await rename(temporary, path)
  }
  await using folder = await open(dirname(path), 'r')
  await folder.sync()
}

function storedObject(
  file: FileHandle,
  handles: AsyncDisposableStack,
  sizeBytes: number,
  key: string,
): StoredObject {
  let direct: Promise<FileHandle | undefined> | undefined
  const readDirect = async (pages: Uint8Array, at: number, offset: number) => {
    direct ??= openDirect(file).then((handle) => handles.use(handle))
    try {
      return await (await direct)?.read(pages, at, pages.length - at, offset + at)
    } catch (error) {
      // Behind the last whole sector, or on a disk that wants more than pages.
      if (hasCode(error, 'EINVAL')) return undefined
      throw error
    }
  }
  const read = (bytes: Uint8Array, at: number, offset: number) =>
    file.read(bytes, at, bytes.length - at, offset + at)
  return {
    sizeBytes,
    async fill(pages, offset) {
      assert(offset % sectorBytes === 0)
      const wanted = Math.min(pages.length, Math.max(0, sizeBytes - offset))
      let at = 0
      while (at < wanted) {
        const found = (await readDirect(pages, at, offset)) ?? (await read(pages, at, offset))
        if (found.bytesRead === 0) throw new TruncatedObject(key)
        at += found.bytesRead
      }
      return wanted
    },
    async read(offset, length) {
      // Before there is memory for it.
      if (offset + length > sizeBytes) throw new TruncatedObject(key)
      const bytes = Buffer.from(new ArrayBuffer(length))
      for (let at = 0; at < length;) {
        const { bytesRead } = await read(bytes, at, offset)
        if (bytesRead === 0) throw new TruncatedObject(key)
        at += bytesRead
      }
      return bytes
    },
    async [Symbol.asyncDispose]() {
      await direct
      await handles.disposeAsync()
    },
  }
}

/** Another handle of the same file, around the page cache; none where its file system has no such. */
async function openDirect(file: FileHandle): Promise<FileHandle | undefined> {
  const { O_RDONLY, O_DIRECT } = constants
  return await open(`/proc/self/fd/${file.fd}`, O_RDONLY | O_DIRECT).catch(() => undefined)
}

function orNothing(error: unknown): undefined {
  if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENXIO', 'ELOOP')) return undefined
  throw error
}
