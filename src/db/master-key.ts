/**
 * The master key of an installation: 32 random bytes in a file beside the
 * database, under which every secret of the database is sealed that should not be
 * read from there. It is made once. Without it what it sealed is lost, so a file
 * that is gone, changed or open to others stops the start instead of being made anew.
 */
import { constants } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keyBytes, type RandomBytes, type Sealer, SealBroken, sealerOf } from '../lib/seal.ts'

export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError'
}

export interface MasterKeyOptions {
  readonly path: string
  /** The key itself, where it is kept elsewhere: then there is no file. */
  readonly given?: Uint8Array | undefined
  readonly randomBytes: RandomBytes
  /** Something that the key has sealed, with its context; nothing where there is no such thing yet. */
  readonly sample: { readonly sealed: Uint8Array; readonly context: string } | undefined
}

/** Opens the master key, and makes it where there is none and nothing was ever sealed. */
export async function openMasterKey(options: MasterKeyOptions): Promise<Sealer> {
  const { path, given, randomBytes, sample } = options
  // A start that was cut off may have left it: half a key, or another name of the whole one.
  await rm(temporaryOf(path), { force: true })
  let key = given ?? (await read(path))
  if (!key) {
    if (sample) {
      throw new MasterKeyError(
        `The master key is gone: ${path}. There are keys that only it opens: put it back from a backup`,
      )
    }
    key = randomBytes(keyBytes)
    await writeOnce(path, key)
  }
  const sealer = sealerOf(key, randomBytes)
  try {
    if (sample) sealer.open(sample.sealed, sample.context)
  } catch (error) {
    if (!(error instanceof SealBroken)) throw error
    throw new MasterKeyError(
      `The master key is another than the one that sealed the keys: ${given ? 'the command printed it' : path}. ` +
        'Put that back from a backup',
      { cause: error },
    )
  }
  return sealer
}

/** The master key that is there, to look at what it sealed: it is not made, and nothing is changed. */
export async function readMasterKey({
  path,
  given,
  randomBytes,
}: Omit<MasterKeyOptions, 'sample'>): Promise<Sealer | undefined> {
  const key = given ?? (await read(path))
  return key && sealerOf(key, randomBytes)
}

const temporaryOf = (path: string): string => `${path}.tmp`

async function read(path: string): Promise<Uint8Array | undefined> {
  let file
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new MasterKeyError(`Cannot read the master key: ${path}`, { cause: error })
  }
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new MasterKeyError(`The master key is not a file: ${path}`)
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8)
      throw new MasterKeyError(
        `Others than its owner may use the master key (mode ${mode}): chmod 600 ${path}`,
      )
    }
    if (stat.size !== keyBytes) {
      throw new MasterKeyError(
        `The master key is damaged: ${path} has ${stat.size} bytes, and not ${keyBytes}`,
      )
    }
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** The file is there whole or not at all, and never takes the place of another. */
async function writeOnce(path: string, key: Uint8Array): Promise<void> {
  const temporary = temporaryOf(path)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(key)
    await file.sync()
  } finally {
    await file.close()
  }
  await link(temporary, path)
  await rm(temporary)
  const folder = await open(dirname(path), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
