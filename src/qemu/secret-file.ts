/**
 * A secret on its way to a process: a file in memory that never has a name, inherited
 * as an open file. Once the process has read it, it is emptied; what ends without that,
 * by a crash too, takes it along.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Secret } from '../lib/secret.ts'

/** A secret with the id by which QEMU's options name it. */
export interface NamedSecret {
  readonly id: string
  readonly secret: Secret
}

/** A file system in memory. */
export const folderOfSecrets = '/dev/shm'
/** Node does not name it: a file without a name, in that folder. */
const withoutName = 0o20000000 | constants.O_DIRECTORY

export class SecretFiles implements AsyncDisposable {
  readonly #files: FileHandle[] = []
  readonly #ids: string[] = []

  static async open(secrets: readonly NamedSecret[]): Promise<SecretFiles> {
    const files = new SecretFiles()
    try {
      for (const { id, secret } of secrets) {
        const file = await open(folderOfSecrets, withoutName | constants.O_RDWR, 0o600)
        files.#files.push(file)
        files.#ids.push(id)
        await file.write(secret.reveal(), 0)
      }
      return files
    } catch (error) {
      await files[Symbol.asyncDispose]()
      throw error
    }
  }

  /** What is to be appended to the process's three streams. */
  get descriptors(): readonly number[] {
    return this.#files.map(({ fd }) => fd)
  }

  /** The secrets as objects, where these are the files from the fourth on. */
  objects(option: '-object' | '--object'): readonly string[] {
    return this.#ids.flatMap((id, index) => [
      option,
      `secret,id=${id},file=/proc/self/fd/${3 + index}`,
    ])
  }

  /** Leaves nothing to whoever still has them open. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) {
      await file.truncate(0)
      await file.close()
    }
    this.#files.length = 0
  }
}
