/** The tables of the services that organizations trust, and of their administrators. Nothing else reads or writes them. */
import type { Database, Tx } from '../db/database.ts'
import type { Delegation, TrustedService } from './services.ts'

/** Trusts a service; one that is trusted stays so since before. */
export async function enableService(
  tx: Tx,
  organizationId: string,
  { principal, since }: TrustedService,
): Promise<void> {
  await tx
    .insertInto('organization_services')
    .values({ organization_id: organizationId, principal, since_ms: since.getTime() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

export async function disableService(
  tx: Tx,
  organizationId: string,
  principal: string,
): Promise<void> {
  await tx
    .deleteFrom('organization_services')
    .where('organization_id', '=', organizationId)
    .where('principal', '=', principal)
    .execute()
}

/** The trusted services in the order of their names. */
export async function listServices(
  db: Database,
  organizationId: string,
): Promise<readonly TrustedService[]> {
  const rows = await db
    .selectFrom('organization_services')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('principal')
    .execute()
  return rows.map((row) => ({ principal: row.principal, since: new Date(row.since_ms) }))
}

/** Tells whether the account was none of the service's administrators. */
export async function insertDelegation(
  tx: Tx,
  organizationId: string,
  { accountId, principal, since }: Delegation,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await tx
    .insertInto('organization_delegations')
    .values({
      organization_id: organizationId,
      account_id: accountId,
      principal,
      since_ms: since.getTime(),
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return numInsertedOrUpdatedRows === 1n
}

/** Tells whether the account was an administrator of the service. */
export async function deleteDelegation(
  tx: Tx,
  { accountId, principal }: Pick<Delegation, 'accountId' | 'principal'>,
): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('organization_delegations')
    .where('account_id', '=', accountId)
    .where('principal', '=', principal)
    .executeTakeFirst()
  return numDeletedRows === 1n
}

/** All administrators of services, by account and service. */
export async function listDelegations(
  db: Database,
  organizationId: string,
): Promise<readonly Delegation[]> {
  const rows = await db
    .selectFrom('organization_delegations')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('account_id')
    .orderBy('principal')
    .execute()
  return rows.map((row) => ({
    accountId: row.account_id,
    principal: row.principal,
    since: new Date(row.since_ms),
  }))
}

/** Forgets what an organization that ends has said of services. */
export async function deleteServicesOf(tx: Tx, organizationId: string): Promise<void> {
  for (const table of ['organization_delegations', 'organization_services'] as const) {
    await tx.deleteFrom(table).where('organization_id', '=', organizationId).execute()
  }
}
