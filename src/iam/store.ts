/** The `accounts` and `access_keys` tables. Nothing else reads or writes them. */
import type { Database } from '../db/database.ts'
import { Secret } from '../lib/secret.ts'
import type { Statement } from './evaluate.ts'

export interface Account {
  readonly id: string
  readonly name: string
  /** What AWS shows instead of the number for its own accounts: `amazon`. */
  readonly alias: string | undefined
}

export interface AccessKey {
  readonly id: string
  readonly secret: Secret
  readonly caller: {
    readonly accountId: string
    readonly arn: string
    readonly userId: string
    readonly policies: readonly Statement[]
  }
}

export async function insertAccount(db: Database, account: Account, now: Date): Promise<void> {
  const { id, name, alias } = account
  await db
    .insertInto('accounts')
    .values({ id, name, alias: alias ?? null, created_at_ms: now.getTime() })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

export async function listAccounts(db: Database): Promise<Account[]> {
  const rows = await db.selectFrom('accounts').selectAll().orderBy('id').execute()
  return rows.map(({ id, name, alias }) => ({ id, name, alias: alias ?? undefined }))
}

export async function findAccount(db: Database, id: string): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  return row && { id: row.id, name: row.name, alias: row.alias ?? undefined }
}

/** The account that goes by an alias such as `amazon`. */
export async function findAccountByAlias(
  db: Database,
  alias: string,
): Promise<Account | undefined> {
  const accounts = await listAccounts(db)
  return accounts.find((account) => account.alias === alias)
}

/** Stores a key, or gives a key of the same id its new secret. */
export async function putAccessKey(db: Database, key: AccessKey, now: Date): Promise<void> {
  const changing = {
    account_id: key.caller.accountId,
    secret: key.secret.reveal(),
    user_arn: key.caller.arn,
    user_id: key.caller.userId,
    policies: JSON.stringify(key.caller.policies),
    is_active: 1 as const,
  }
  await db
    .insertInto('access_keys')
    .values({ id: key.id, ...changing, created_at_ms: now.getTime() })
    .onConflict((conflict) => conflict.column('id').doUpdateSet(changing))
    .execute()
}

export async function findAccessKey(db: Database, id: string): Promise<AccessKey | undefined> {
  const row = await db
    .selectFrom('access_keys')
    .selectAll()
    .where('id', '=', id)
    .where('is_active', '=', 1)
    .executeTakeFirst()
  if (!row) return undefined
  const caller = {
    accountId: row.account_id,
    arn: row.user_arn,
    userId: row.user_id,
    policies: JSON.parse(row.policies) as Statement[],
  }
  return { id: row.id, secret: new Secret(row.secret), caller }
}

/** Who holds a key of the installation's own, by the ARN. */
export async function findHolder(
  db: Database,
  arn: string,
): Promise<AccessKey['caller'] | undefined> {
  const row = await db
    .selectFrom('access_keys')
    .select('id')
    .where('user_arn', '=', arn)
    .where('is_active', '=', 1)
    .executeTakeFirst()
  return row && (await findAccessKey(db, row.id))?.caller
}

/** An access key as its holder needs it: the id and the secret. */
export async function administrator(
  db: Database,
  id: string,
): Promise<{ readonly id: string; readonly secret: Secret } | undefined> {
  const key = await findAccessKey(db, id)
  return key && { id: key.id, secret: key.secret }
}
