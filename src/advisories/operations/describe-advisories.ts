import { requireOperator } from '../../iam/operator.ts'
import { countScans } from '../../scans/store.ts'
import type { Extension } from '../../wire/extension.ts'
import { findFeed } from '../feed.ts'
import { summarizeAdvisories } from '../store.ts'

/** Which advisories there are, and how many disks they were held against. */
export const describeAdvisories: Extension = {
  kind: 'read',
  action: 'DescribeAdvisories',
  method: 'GET',
  path: '/imago/v1/advisories',
  async run({ db, caller }) {
    await requireOperator(db, caller, 'list advisories')
    const feed = await findFeed(db)
    return {
      ...(feed && { feed: feed.number, importedAt: feed.importedAt.toISOString() }),
      ecosystems: await summarizeAdvisories(db),
      disks: await countScans(db),
    }
  },
}
