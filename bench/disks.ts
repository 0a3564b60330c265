/**
 * The disks that benches work with: the starter images, baked once by their own
 * recipes and kept in the bench folder (`BENCH_FOLDER`, else under the system's
 * folder for temporary files). Everything that is measured lies on that one disk.
 */
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecipeName } from '../src/catalog/recipe.ts'
import { starterDisk } from '../test/guests/starter-disks.ts'
import { until } from './commands.ts'
import type { SignedClient } from './signed-client.ts'

export const benchFolder = process.env['BENCH_FOLDER'] || join(tmpdir(), 'imago-bench')

/** The raw disk of a starter image, as its recipe is now. */
export async function obtainDisk(recipe: RecipeName): Promise<string> {
  return await starterDisk(recipe, join(benchFolder, 'disks'))
}

/** A folder for one run, gone at its end. */
export async function scratchFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  await mkdir(benchFolder, { recursive: true })
  const path = await mkdtemp(join(benchFolder, 'run-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** A disk on which there is nothing. */
export async function makeBlankDisk(path: string, sizeBytes: number): Promise<string> {
  await writeFile(path, '')
  await truncate(path, sizeBytes)
  return path
}

/** Brings a raw disk into the service as an image, and answers its id. */
export async function importImage(client: SignedClient, disk: string): Promise<string> {
  const ask = async (method: 'GET' | 'POST', path: string, body: string) => {
    const type = 'application/json'
    const { text } = await client.call({ service: 'imago', method, path, type, body })
    return JSON.parse(text) as Readonly<Record<string, string>>
  }
  const body = JSON.stringify({ source: disk, name: `bench-${disk.replaceAll('/', '-')}` })
  const started = await ask('POST', '/imago/v1/imports', body)
  return await until(
    async () => {
      const found = await ask('GET', `/imago/v1/imports/${started['importId']}`, '')
      if (found['state'] === 'error') throw new Error(`cannot import ${disk}: ${found['message']}`)
      return found['state'] === 'completed' ? found['imageId'] : undefined
    },
    { everyMs: 100 },
  )
}
