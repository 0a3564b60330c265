/** Keeps when the key of a user was last used: to the minute, so that calls seldom wait for it. */
import type { Tx } from '../db/database.ts'
import type { Log } from '../lib/log.ts'
import type { Credentials } from './credentials.ts'
import { type KeyUse, noteKeyUse } from './user-key-store.ts'

const exactToMs = 60_000

interface Keeper {
  readonly sharedWrites: { run<T>(work: (tx: Tx) => Promise<T>): Promise<T> }
  readonly log: Pick<Log, 'warn'>
}

export async function noteUse(
  { sharedWrites, log }: Keeper,
  { keyId, lastUse }: Credentials,
  use: KeyUse,
): Promise<void> {
  const { isKept, last } = lastUse
  const isNews = !last || use.at.getTime() - last.at.getTime() >= exactToMs
  if (!isKept || !isNews) return
  try {
    await sharedWrites.run((tx) => noteKeyUse(tx, keyId, use))
  } catch (error) {
    // A call that is right is answered, also when the disk is full.
    log.warn('the use of a key was not noted', { keyId, error })
  }
}
