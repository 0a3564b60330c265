/** A starter image as if it had been baked: its records, without its bytes. */
import { randomBytes } from 'node:crypto'
import { recipes, type RecipeName } from '../src/catalog/recipe.ts'
import { transaction } from '../src/db/database.ts'
import { catalogImport } from '../src/imports/import.ts'
import { publishImage } from '../src/imports/publish.ts'
import { completeImport, insertImport } from '../src/imports/store.ts'
import { digestOf } from '../src/lib/digest.ts'
import { formatId, type Id } from '../src/lib/ids.ts'
import { region, type TestSystem } from './system.ts'

/** Records a public image of the provider's, baked `at` some time. */
export async function recordStarter(
  { db }: Pick<TestSystem, 'db'>,
  { recipe, at }: { readonly recipe: RecipeName; readonly at: Date },
): Promise<Id<'image'>> {
  const accountId = '100000000001'
  const item = catalogImport(recipes[recipe], {
    accountId,
    region,
    now: at,
    random: randomBytes(8),
  })
  const manifest = digestOf(randomBytes(8))
  return await transaction(db.writes, async (tx) => {
    await insertImport(tx, item)
    const made = await publishImage(
      tx,
      { accountId, region },
      item.image,
      {
        manifest,
        sizeBytes: 2 ** 30,
        fullSizeBytes: 0,
        addedBytes: 0,
        bootMode: 'uefi-preferred',
        platform: undefined,
      },
      { now: at, newId: (kind) => formatId(kind, randomBytes(9)) },
    )
    await completeImport(tx, item.id, { ...made, manifest })
    return made.imageId
  })
}
