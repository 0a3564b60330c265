/** The `accounts` and `access_keys` tables. Nothing else reads or writes them. */
import type { Selectable } from 'kysely'
import type { Database } from '../db/database.ts'
import { prepared } from '../db/prepared.ts'
import type { Tables } from '../db/schema.ts'
import type { Sealer } from '../lib/seal.ts'
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
  return (await db.selectFrom('accounts').selectAll().orderBy('id').execute()).map(fromRow)
}

/** Those that go by an alias, such as `amazon`: few, however many accounts there are. */
export async function listProviders(db: Database): Promise<Account[]> {
  const rows = await db
    .selectFrom('accounts')
    .selectAll()
    .where('alias', 'is not', null)
    .orderBy('id')
    .execute()
  return rows.map(fromRow)
}

export async function findAccount(db: Database, id: string): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').selectAll().where('id', '=', id).executeTakeFirst()
  return row && fromRow(row)
}

function fromRow({ id, name, alias }: Selectable<Tables['accounts']>): Account {
  return { id, name, alias: alias ?? undefined }
}

/** The account that goes by an alias such as `amazon`. */
export async function findAccountByAlias(
  db: Database,
  alias: string,
): Promise<Account | undefined> {
  const accounts = await listProviders(db)
  return accounts.find((account) => account.alias === alias)
}

/** What a secret begins with that is sealed. Those of older installations are not, until they start anew. */
const sealedPrefix = 'sealed:'

const contextOf = (keyId: string): string => `access-key/${keyId}`

/** Stores a key, or gives a key of the same id its new secret. */
export async function putAccessKey(
  db: Database,
  key: AccessKey,
  now: Date,
  sealer: Sealer,
): Promise<void> {
  const sealed = sealer.seal(Buffer.from(key.secret.reveal()), contextOf(key.id))
  const changing = {
    account_id: key.caller.accountId,
    secret: sealedPrefix + Buffer.from(sealed).toString('base64'),
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

export async function findAccessKey(
  db: Database,
  id: string,
  sealer: Sealer,
): Promise<AccessKey | undefined> {
  const row = await findRow(db, id)
  if (!row) return undefined
  return { id, secret: openSecret(row, sealer), caller: callerOf(row) }
}

/** Who holds a key of the installation's own. */
export async function findKeyHolder(
  db: Database,
  id: string,
): Promise<AccessKey['caller'] | undefined> {
  const row = await findRow(db, id)
  return row && callerOf(row)
}

/** Some secret that is sealed, to try a master key on. */
export async function findSealedSecret(
  db: Database,
): Promise<{ readonly sealed: Uint8Array; readonly context: string } | undefined> {
  const row = await db
    .selectFrom('access_keys')
    .select(['id', 'secret'])
    .where('secret', 'like', `${sealedPrefix}%`)
    .limit(1)
    .executeTakeFirst()
  return row && { sealed: sealedIn(row.secret), context: contextOf(row.id) }
}

const sealedIn = (secret: string): Uint8Array =>
  Buffer.from(secret.slice(sealedPrefix.length), 'base64')

async function findRow(db: Database, id: string) {
  const { rows } = await selectKey(db, { id })
  return rows.at(0)
}

const selectKey = prepared((db, { id }: { readonly id: string }) =>
  db.selectFrom('access_keys').selectAll().where('id', '=', id).where('is_active', '=', 1),
)

type Row = NonNullable<Awaited<ReturnType<typeof findRow>>>

function callerOf(row: Row): AccessKey['caller'] {
  return {
    accountId: row.account_id,
    arn: row.user_arn,
    userId: row.user_id,
    policies: JSON.parse(row.policies) as Statement[],
  }
}

function openSecret({ id, secret }: Row, sealer: Sealer): Secret {
  if (!secret.startsWith(sealedPrefix)) return new Secret(secret)
  return new Secret(Buffer.from(sealer.open(sealedIn(secret), contextOf(id))).toString())
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
  return row && (await findKeyHolder(db, row.id))
}
