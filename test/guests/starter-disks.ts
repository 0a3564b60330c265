/**
 * The disks of the starter images, for tests with real guests and for benches, baked by the
 * product's own recipes. A disk is kept under the digest of what it was baked by, so an unchanged
 * recipe is baked once on a machine.
 */
import { createHash } from 'node:crypto'
import { access, glob, mkdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { bake } from '../../src/catalog/bake.ts'
import type { RecipeName } from '../../src/catalog/recipe.ts'

const catalogFolder = fileURLToPath(new URL('../../catalog', import.meta.url))
const cacheFolder = join(tmpdir(), `imago-test-cache-${process.getuid?.() ?? 0}`)

/** The raw disk of a starter image; baked first where the folder does not have it yet. */
export async function starterDisk(recipe: RecipeName, folder = cacheFolder): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const disk = join(folder, `${recipe}-${await digestOfRecipe(recipe)}.raw`)
  if (await exists(disk)) return disk
  using _lock = await takeLock(join(folder, `${recipe}.lock`))
  if (!(await exists(disk))) await bake(recipe, { output: disk, workFolder: folder })
  return disk
}

async function digestOfRecipe(recipe: RecipeName): Promise<string> {
  const files: string[] = []
  for (const folder of ['common', recipe]) {
    for await (const entry of glob(join(catalogFolder, folder, '**'), { withFileTypes: true })) {
      if (entry.isFile()) files.push(join(entry.parentPath, entry.name))
    }
  }
  const hash = createHash('sha256')
  for (const file of files.toSorted()) {
    hash.update(relative(catalogFolder, file)).update(await readFile(file))
  }
  return hash.digest('hex').slice(0, 16)
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** A lock that ends with the process that has it; another process that wants it waits. */
async function takeLock(path: string): Promise<Disposable> {
  for (;;) {
    const file = new DatabaseSync(path)
    try {
      file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
      return { [Symbol.dispose]: () => file.close() }
    } catch (error) {
      file.close()
      if (!(error instanceof Error && /locked/.test(error.message))) throw error
      await sleep(250)
    }
  }
}
