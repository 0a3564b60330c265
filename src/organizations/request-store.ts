/** The `account_creations` table: the accounts that were asked for. Nothing else reads or writes it. */
import type { Selectable } from 'kysely'
import type { Database, Tx } from '../db/database.ts'
import type { Tables } from '../db/schema.ts'
import type { AccountFailure, AccountOutcome, AccountRequest, ResourceTag } from './organization.ts'

export async function insertAccountRequest(tx: Tx, request: AccountRequest): Promise<void> {
  await tx
    .insertInto('account_creations')
    .values({
      id: request.id,
      organization_id: request.organizationId,
      account_name: request.accountName,
      email: request.email,
      role_name: request.roleName,
      tags: JSON.stringify(request.tags),
      requested_at_ms: request.requestedAt.getTime(),
      ...columnsOf(request.outcome),
    })
    .execute()
}

/** Says what came of a wish. Tells whether nothing had come of it yet. */
export async function completeAccountRequest(
  tx: Tx,
  id: string,
  outcome: AccountOutcome,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('account_creations')
    .set(columnsOf(outcome))
    .where('id', '=', id)
    .where('completed_at_ms', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

export async function findAccountRequest(
  db: Database,
  query: { readonly organizationId?: string; readonly id: string },
): Promise<AccountRequest | undefined> {
  let select = db.selectFrom('account_creations').selectAll().where('id', '=', query.id)
  const { organizationId } = query
  if (organizationId !== undefined) select = select.where('organization_id', '=', organizationId)
  const row = await select.executeTakeFirst()
  return row && requestFromRow(row)
}

/** All wishes of an organization, in the order of ids. */
export async function listAccountRequests(
  db: Database,
  organizationId: string,
): Promise<readonly AccountRequest[]> {
  const rows = await db
    .selectFrom('account_creations')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('id')
    .execute()
  return rows.map(requestFromRow)
}

/** The wishes that nothing has come of yet. */
export async function listDueRequests(db: Database): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('account_creations')
    .select('id')
    .where('completed_at_ms', 'is', null)
    .execute()
  return rows.map(({ id }) => id)
}

/** Forgets the wishes of an organization that ends. */
export async function deleteAccountRequests(tx: Tx, organizationId: string): Promise<void> {
  await tx.deleteFrom('account_creations').where('organization_id', '=', organizationId).execute()
}

function columnsOf(outcome: AccountOutcome | undefined) {
  return {
    account_id: outcome && 'accountId' in outcome ? outcome.accountId : null,
    failure_reason: outcome && 'failureReason' in outcome ? outcome.failureReason : null,
    completed_at_ms: outcome?.completedAt.getTime() ?? null,
  }
}

function requestFromRow(row: Selectable<Tables['account_creations']>): AccountRequest {
  return {
    id: row.id,
    organizationId: row.organization_id,
    accountName: row.account_name,
    email: row.email,
    roleName: row.role_name,
    tags: JSON.parse(row.tags) as readonly ResourceTag[],
    requestedAt: new Date(row.requested_at_ms),
    outcome: outcomeOf(row),
  }
}

function outcomeOf(row: Selectable<Tables['account_creations']>): AccountOutcome | undefined {
  if (row.completed_at_ms === null) return undefined
  const completedAt = new Date(row.completed_at_ms)
  if (row.account_id !== null) return { completedAt, accountId: row.account_id }
  return {
    completedAt,
    failureReason: (row.failure_reason ?? 'INTERNAL_FAILURE') as AccountFailure,
  }
}
