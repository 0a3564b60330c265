/**
 * Files that are there whole or not at all, whatever is cut off when: written
 * beside their place, synced, then renamed into it. A leftover of an earlier
 * attempt is written over, so each file has one writer at a time.
 */
import { open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

export const temporarySuffix = '.tmp'

/** Writes the parts at their offsets into a new sparse file, and puts it in its place. */
export async function writeDurably(
  path: string,
  sizeBytes: number,
  parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[],
): Promise<void> {
  const temporary = path + temporarySuffix
  const file = await open(temporary, 'w', 0o600)
  try {
    for (const { offset, bytes } of parts) await file.write(bytes, 0, bytes.length, offset)
    await file.truncate(sizeBytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await renameDurably(temporary, path)
}

/** Renames, and returns when no power cut can undo it. */
export async function renameDurably(from: string, to: string): Promise<void> {
  await rename(from, to)
  await sync(dirname(to))
}

/** Makes durable what was written to the file, or the names in the folder. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
