/**
 * One program at a time serves a data folder. The lock is a transaction of a
 * SQLite file, which ends with the process that holds it, however that ends.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'

export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

/** Takes the folder, or throws `FolderInUse` where another process has it. */
export function lockFolder(folder: string): Disposable {
  const file = new DatabaseSync(join(folder, 'lock.db'))
  try {
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    file.close()
    const isLocked = error instanceof Error && /locked/.test(error.message)
    if (!isLocked) throw error
    throw new FolderInUse(`Another Imago serves this data folder: ${folder}`, { cause: error })
  }
  return { [Symbol.dispose]: () => file.close() }
}
