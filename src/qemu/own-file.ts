/**
 * How a file is opened that a machine may write, or put another in the place of: where a link
 * is there, it was left by a guest that has broken out, and leads to what is not its own.
 */
import { constants } from 'node:fs'
import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'

/** Fails at a link, and does not wait at a pipe. */
export const ownFile = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** Removes the links from a folder that nobody writes now. We leave none ourselves. */
export async function removeLinks(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isSymbolicLink()) await unlink(join(folder, entry.name))
  }
}
