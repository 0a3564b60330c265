import { requireOperator } from '../../iam/operator.ts'
import { formatToken } from '../../lib/pages.ts'
import type { Extension } from '../../wire/extension.ts'
import { takeInventory } from '../inventory.ts'
import { readInventoryRequest } from '../request.ts'

/** Which images there are in the Region: the account's own and those that its machines are on, or all. */
export const getInventory: Extension = {
  kind: 'read',
  action: 'GetInventory',
  method: 'POST',
  path: '/imago/v1/inventory',
  async run({ input, db, caller, region, now, readers }) {
    const { isOfAll, after, limit } = readInventoryRequest(input.body)
    if (isOfAll) await requireOperator(db, caller, 'see the images of all accounts')
    const accountId = isOfAll ? undefined : caller.accountId
    const query = { accountId, region, after, limit, now }
    const { images, hasMore, isMeasuring } = await takeInventory(db, readers.imageSizes, query)
    const last = images.at(-1)
    return {
      images,
      ...(isMeasuring && { isMeasuring }),
      ...(hasMore && last && { nextToken: formatToken(last.imageId) }),
    }
  },
}
