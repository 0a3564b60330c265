/** The volume that a call names, or the call is refused. */
import type { Database } from '../db/database.ts'
import type { CallContext } from '../wire/operation.ts'
import { findVolume } from './store.ts'
import { parseVolumeId, type Volume, volumeNotFound } from './volume.ts'

export async function findOneVolume(
  db: Database,
  { caller, region }: Pick<CallContext, 'caller' | 'region'>,
  text: string | undefined,
): Promise<Volume> {
  const id = parseVolumeId(text ?? '')
  const volume = await findVolume(db, { accountId: caller.accountId, region, id })
  if (!volume) throw volumeNotFound(id)
  return volume
}
