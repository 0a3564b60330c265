/**
 * Runs a recipe of `catalog/`. The image appears under its name only when it is whole: a recipe
 * writes beside it, and the file is synced and renamed at the end. An abort ends the recipe with
 * everything it started, and leaves neither image nor scratch files; so does the end of this process,
 * but for the scratch files.
 */
import { mkdir, mkdtemp, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { recipeNames } from './recipe.ts'
import type { RecipeName } from './recipe.ts'
import { type Outcome, type Run, runScript } from './run-script.ts'

const catalogFolder = fileURLToPath(new URL('../../catalog', import.meta.url))

/** The lines that recipes print when they begin a step, in their order. */
const steps = {
  tiny: [
    'reading the package lists',
    'fetching packages',
    'unpacking packages',
    'building the root file system',
    'choosing kernel modules',
    'building the initramfs',
    'writing the disk',
  ],
  'debian-12': [
    'installing packages',
    'I: downloading packages with apt...',
    'I: extracting archives...',
    'I: installing essential packages...',
    'I: installing remaining packages inside the chroot...',
    'writing the boot loader',
  ],
} as const satisfies Record<RecipeName, readonly string[]>

export type BakeOptions = {
  /** Where the raw disk shall be. */
  readonly output: string
  /** A folder for scratch files, with room for 3 GiB; a new one inside is used and removed. */
  readonly workFolder: string
  readonly onLine?: (line: string) => void
  /** Called with the share of steps begun, from 0 to 1. */
  readonly onProgress?: (share: number) => void
  readonly signal?: AbortSignal
}

/** A recipe that did not succeed; the message says what it said last. */
export class BakeFailed extends Error {
  constructor(recipe: RecipeName, lines: readonly string[], options?: ErrorOptions) {
    super(`Cannot bake ${recipe}: ${lines.join('\n') || 'the recipe said nothing'}`, options)
    this.name = 'BakeFailed'
  }
}

/** Bakes a starter image into a raw disk. Takes from a quarter of a minute to a few minutes. */
export async function bake(recipe: RecipeName, options: BakeOptions): Promise<void> {
  const { output, workFolder, onProgress, signal } = options
  signal?.throwIfAborted()
  await mkdir(dirname(output), { recursive: true })
  await mkdir(workFolder, { recursive: true })
  const scratch = await mkdtemp(join(workFolder, `${recipe}-`))
  const unfinished = `${output}.unfinished`
  const order: readonly string[] = steps[recipe]
  const onLine = (line: string): void => {
    options.onLine?.(line)
    const step = order.indexOf(line)
    if (step >= 0) onProgress?.(step / order.length)
  }
  try {
    const { code, lines } = await runRecipe(recipe, [unfinished, join(scratch, 'work')], {
      onLine,
      signal,
    })
    signal?.throwIfAborted()
    if (code !== 0) throw new BakeFailed(recipe, lines.slice(-5))
    const file = await open(unfinished, 'r+')
    try {
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(unfinished, output)
    onProgress?.(1)
  } finally {
    await rm(unfinished, { force: true })
    await rm(scratch, { recursive: true, force: true })
  }
}

export type CatalogCheck =
  | { readonly recipe: RecipeName; readonly ok: true }
  | { readonly recipe: RecipeName; readonly ok: false; readonly advice: string }

/** What keeps each recipe from being baked on this host, as advice such as a command to run. */
export async function checkCatalog(): Promise<readonly CatalogCheck[]> {
  return Promise.all(
    recipeNames.map(async (recipe): Promise<CatalogCheck> => {
      const { code, lines } = await runRecipe(recipe, ['--check'], {})
      return code === 0 ? { recipe, ok: true } : { recipe, ok: false, advice: lines.join('\n') }
    }),
  )
}

function runRecipe(recipe: RecipeName, args: readonly string[], how: Run): Promise<Outcome> {
  return runScript(join(catalogFolder, recipe, 'bake.sh'), args, how)
}
