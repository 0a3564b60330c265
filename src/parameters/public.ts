/**
 * The parameters that every account may read: the newest image of each starter,
 * under the names that tools already know where there are such. They are made
 * of the images as these are now, and nobody can put them.
 */
import { type RecipeName, recipes } from '../catalog/recipe.ts'
import type { Database } from '../db/database.ts'
import { findImages } from '../images/store.ts'
import { listCatalogImports } from '../imports/store.ts'
import type { Id } from '../lib/ids.ts'
import type { ParameterVersion } from './parameter.ts'

const names: Readonly<Record<RecipeName, string>> = {
  tiny: '/aws/service/imago/tiny/latest/image_id',
  // Where Debian itself has it in AWS.
  'debian-12': '/aws/service/debian/release/12/latest/amd64',
}

/** What is under this is public. */
export const publicPrefix = '/aws/service/'

/** All public parameters of a Region, by their names. */
export async function listPublicParameters(
  db: Database,
  region: string,
): Promise<readonly ParameterVersion[]> {
  const found: ParameterVersion[] = []
  for (const { name: recipe } of Object.values(recipes)) {
    const newest = await findNewest(db, region, recipe)
    if (!newest) continue
    found.push({
      accountId: '',
      region,
      name: names[recipe],
      version: newest.version,
      type: 'String',
      dataType: 'aws:ec2:image',
      tier: 'Standard',
      value: newest.imageId,
      description: undefined,
      allowedPattern: undefined,
      labels: [],
      modifiedAt: newest.at,
      modifiedBy: '',
    })
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Which public parameter stands for which image now. */
export async function publicNamesOfImages(
  db: Database,
  region: string,
): Promise<ReadonlyMap<string, string>> {
  const parameters = await listPublicParameters(db, region)
  return new Map(parameters.map(({ value, name }) => [value, name]))
}

/** The newest image of a starter that can be launched. Its version counts those that ever were. */
async function findNewest(
  db: Database,
  region: string,
  recipe: RecipeName,
): Promise<{ imageId: Id<'image'>; version: number; at: Date } | undefined> {
  const imports = await listCatalogImports(db, recipe)
  const ids = imports.flatMap(({ imageId, region: where }) =>
    imageId && where === region ? [imageId] : [],
  )
  const images = new Map((await findImages(db, ids)).map((image) => [image.id, image]))
  for (const [index, imageId] of ids.entries()) {
    const image = images.get(imageId)
    if (image?.state === 'available' && image.isPublic) {
      return { imageId, version: ids.length - index, at: image.createdAt }
    }
  }
  return undefined
}
