/** Moves a key from the state that a call has found it in to another. */
import type { Tx } from '../db/database.ts'
import { invalidState, type Key, keyArn } from './key.ts'
import { changeKeyState } from './store.ts'

export async function moveKey(
  tx: Tx,
  key: Key,
  next: Pick<Key, 'state' | 'deletesAt'>,
): Promise<void> {
  if (await changeKeyState(tx, key, next)) return
  throw invalidState(`${keyArn(key)} was changed by another call.`)
}
