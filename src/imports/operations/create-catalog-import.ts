import { findAccountByAlias } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import type { Extension } from '../../wire/extension.ts'
import { isRecipeName, recipes } from '../../catalog/recipe.ts'
import { catalogImport } from '../import.ts'
import { insertImport, listCatalogImports } from '../store.ts'
import { viewImport } from '../view.ts'

/** Has a starter image baked anew; one that is being baked already is not baked twice. */
export const createCatalogImport: Extension = {
  kind: 'write',
  action: 'CreateCatalogImport',
  method: 'POST',
  path: '/imago/v1/catalog/:recipe',
  async run(call) {
    const name = call.input.path['recipe'] ?? ''
    if (!isRecipeName(name)) {
      throw new ApiError('InvalidParameterValue', `There is no recipe '${name}'`)
    }
    const recipe = recipes[name]
    const [latest] = await listCatalogImports(call.tx, recipe.name)
    if (latest?.state === 'active') return viewImport(latest)
    const provider = await findAccountByAlias(call.tx, 'amazon')
    const item = catalogImport(recipe, {
      accountId: provider?.id ?? call.caller.accountId,
      region: call.regions[0] ?? call.region,
      now: call.now,
      random: call.randomBytes(8),
    })
    await insertImport(call.tx, item)
    return viewImport(item)
  },
}
