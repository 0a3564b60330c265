/** Folders in which disks lie while they are brought in: one for each, thrown away whatever came of it. */
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Does `work` in an empty folder of that name, which is gone after it. */
export async function inWorkFolder<T>(
  root: string,
  name: string,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = join(root, name)
  try {
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true, mode: 0o700 })
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What is left of work that was over when the service was killed. */
export async function removeLeftovers(root: string, wanted: readonly string[]): Promise<void> {
  for (const name of await readdir(root).catch(() => [])) {
    if (!wanted.includes(name)) await rm(join(root, name), { recursive: true, force: true })
  }
}
