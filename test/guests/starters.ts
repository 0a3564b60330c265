/** Starter images in a system under test. */
import { randomBytes } from 'node:crypto'
import { type RecipeName, recipes } from '../../src/catalog/recipe.ts'
import { transaction } from '../../src/db/database.ts'
import { findAccountByAlias } from '../../src/iam/store.ts'
import { catalogImport } from '../../src/imports/import.ts'
import { findImport, insertImport } from '../../src/imports/store.ts'
import { region, type TestSystem } from '../system.ts'
import { starterDisk } from './starter-disks.ts'

/** Makes a starter image the provider's public image, as a service does that baked it itself. */
export async function publishStarter(system: TestSystem, recipe: RecipeName): Promise<string> {
  const source = await starterDisk(recipe)
  const provider = await findAccountByAlias(system.db.reads, 'amazon')
  if (!provider) throw new Error('there is no account of the provider')
  const item = {
    ...catalogImport(recipes[recipe], {
      accountId: provider.id,
      region,
      now: new Date(),
      random: randomBytes(8),
    }),
    kind: 'file' as const,
    source,
  }
  await transaction(system.db.writes, (tx) => insertImport(tx, item))
  system.imago.loop.wake()
  return await system.until(`the image ${item.image.name}`, async () => {
    const { state, message, imageId } = (await findImport(system.db.reads, item.id)) ?? item
    if (state === 'error') throw new Error(message)
    return imageId
  })
}
