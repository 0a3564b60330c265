/** Which state of the advisories there is: each import that is whole makes the next. */
import type { Database, Tx } from '../db/database.ts'
import { findSetting, putSetting } from '../settings/store.ts'

export interface Feed {
  readonly number: number
  readonly importedAt: Date
}

/** Nothing where no advisories were ever imported: then nothing is scanned. */
export async function findFeed(db: Database): Promise<Feed | undefined> {
  const text = await findSetting(db, 'advisory-feed')
  if (text === undefined) return undefined
  const [number, importedAtMs] = text.split(' ').map(Number)
  return { number: number ?? 0, importedAt: new Date(importedAtMs ?? 0) }
}

export async function nextFeed(tx: Tx, now: Date): Promise<Feed> {
  const number = ((await findFeed(tx))?.number ?? 0) + 1
  await putSetting(tx, 'advisory-feed', `${number} ${now.getTime()}`)
  return { number, importedAt: now }
}
