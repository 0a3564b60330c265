/** How long what is deleted now stays in the Recycle Bin, by its owner's rules. */
import type { Database } from '../db/database.ts'
import { listTags } from '../tags/store.ts'
import { type RetainedType, retentionDaysOf } from './rule.ts'
import { listRules } from './store.ts'

const dayMs = 24 * 60 * 60 * 1000

/** When it leaves the bin for good; nothing where no rule retains it. */
export async function recycleExit(
  db: Database,
  deleted: {
    readonly resourceType: RetainedType
    readonly accountId: string
    readonly region: string
    readonly id: string
    readonly now: Date
  },
): Promise<Date | undefined> {
  const { accountId, id, now } = deleted
  const rules = await listRules(db, deleted)
  if (rules.length === 0) return undefined
  const tags = (await listTags(db, { accountId, resourceIds: [id] })).get(id) ?? []
  const days = retentionDaysOf(rules, tags)
  return days === undefined ? undefined : new Date(now.getTime() + days * dayMs)
}
