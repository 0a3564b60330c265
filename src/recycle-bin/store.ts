/** The `retention_rules` table. Nothing else reads or writes it. */
import type { Insertable, Selectable } from 'kysely'
import { toDate } from '../db/columns.ts'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { Owner } from '../lib/owner.ts'
import type { Tag } from '../tags/tag.ts'
import type { RetainedType, RetentionRule, RuleTag } from './rule.ts'

export async function insertRule(tx: Tx, rule: RetentionRule): Promise<void> {
  await tx.insertInto('retention_rules').values(toRow(rule)).execute()
}

export async function findRule(
  db: Database,
  { accountId, region, id }: Owner & { readonly id: string },
): Promise<RetentionRule | undefined> {
  const row = await db
    .selectFrom('retention_rules')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && fromRow(row)
}

/** The rules of an account in a Region, by id. */
export async function listRules(
  db: Database,
  { accountId, region, resourceType }: Owner & { readonly resourceType?: RetainedType },
): Promise<readonly RetentionRule[]> {
  let select = db
    .selectFrom('retention_rules')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('region', '=', region)
  if (resourceType) select = select.where('resource_type', '=', resourceType)
  const rows = await select.orderBy('id').execute()
  return rows.map(fromRow)
}

/** Stores what has become of a rule. Tells whether it still was as `rule` was read, by its revision. */
export async function changeRule(tx: Tx, rule: RetentionRule): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('retention_rules')
    .set({ ...toRow(rule), revision: rule.revision + 1 })
    .where('id', '=', rule.id)
    .where('account_id', '=', rule.accountId)
    .where('revision', '=', rule.revision)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

/** Deletes a rule, and tells whether it still was as it was read. What it retained stays retained. */
export async function deleteRule(
  tx: Tx,
  rule: Pick<RetentionRule, 'id' | 'accountId' | 'revision'>,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('retention_rules')
    .where('id', '=', rule.id)
    .where('account_id', '=', rule.accountId)
    .where('revision', '=', rule.revision)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** The tags that a rule itself has. Those that it picks resources by are another thing. */
export async function findRuleTags(
  db: Database,
  { accountId, region, id }: Owner & { readonly id: string },
): Promise<readonly Tag[] | undefined> {
  const row = await db
    .selectFrom('retention_rules')
    .select('tags')
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('id', '=', id)
    .executeTakeFirst()
  return row && (JSON.parse(row.tags) as readonly Tag[])
}

export async function setRuleTags(
  tx: Tx,
  { accountId, region, id, tags }: Owner & { readonly id: string; readonly tags: readonly Tag[] },
): Promise<void> {
  await tx
    .updateTable('retention_rules')
    .set({ tags: JSON.stringify(tags) })
    .where('account_id', '=', accountId)
    .where('region', '=', region)
    .where('id', '=', id)
    .execute()
}

function toRow(rule: RetentionRule): Insertable<Tables['retention_rules']> {
  return {
    id: rule.id,
    account_id: rule.accountId,
    region: rule.region,
    resource_type: rule.resourceType,
    retention_days: rule.retentionDays,
    description: rule.description,
    resource_tags: tagsToText(rule.resourceTags),
    exclude_resource_tags: tagsToText(rule.excludeResourceTags),
    created_at_ms: rule.createdAt.getTime(),
    unlock_delay_days: rule.lock?.unlockDelayDays ?? null,
    unlocks_at_ms: rule.lock?.unlocksAt?.getTime() ?? null,
    revision: rule.revision,
  }
}

function fromRow(row: Selectable<Tables['retention_rules']>): RetentionRule {
  return {
    id: row.id,
    accountId: row.account_id,
    region: row.region,
    resourceType: row.resource_type,
    retentionDays: row.retention_days,
    description: row.description,
    resourceTags: tagsFromText(row.resource_tags),
    excludeResourceTags: tagsFromText(row.exclude_resource_tags),
    createdAt: new Date(row.created_at_ms),
    lock:
      row.unlock_delay_days === null
        ? undefined
        : {
            unlockDelayDays: row.unlock_delay_days,
            unlocksAt: toDate(row.unlocks_at_ms),
          },
    revision: row.revision,
  }
}

/** JSON knows no `undefined`: a tag without a value is one without the member. */
const tagsToText = (tags: readonly RuleTag[]): string => JSON.stringify(tags)

const tagsFromText = (text: string): readonly RuleTag[] =>
  (JSON.parse(text) as { key: string; value?: string }[]).map(({ key, value }) => ({ key, value }))
