/** The `settings` table: what this installation has made up once and keeps. */
import type { Database } from '../db/database.ts'

/** Every setting there is, with what it is for. */
export type SettingName =
  /** The administrator's access key id. */
  | 'root-access-key-id'
  /** Signs the session tokens of the metadata service; base64. */
  | 'metadata-token-key'
  /** Vouches for what callers are given and bring back; base64. */
  | 'seal-key'
  /** How many garbage collections were asked for. */
  | 'garbage-wanted'
  /** JSON of the last garbage collection. */
  | 'garbage-done'
  /** How often advisories were imported, and when they were last; in milliseconds. */
  | 'advisory-feed'

export async function findSetting(db: Database, name: SettingName): Promise<string | undefined> {
  const row = await db
    .selectFrom('settings')
    .select('value')
    .where('name', '=', name)
    .executeTakeFirst()
  return row?.value
}

export async function putSetting(db: Database, name: SettingName, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute()
}

/** The value that is there, or `make()` where there is none yet: the first one stays. */
export async function keepSetting(
  db: Database,
  name: SettingName,
  make: () => string,
): Promise<string> {
  await db
    .insertInto('settings')
    .values({ name, value: make() })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const kept = await findSetting(db, name)
  return kept ?? ''
}
