/** Whose images, snapshots and roles a call used, beside the caller's own: they hear of it in their trails. */
import type { Database } from '../db/database.ts'
import { findImages } from '../images/store.ts'
import { isId } from '../lib/ids.ts'
import { findSnapshots } from '../snapshots/store.ts'
import type { AuditEvent } from './event.ts'

/** Account ids. Nobody is told of each launch of an image that is everybody's. */
export async function ownersOf(
  db: Database,
  callerId: string,
  { service, action, resources }: Pick<AuditEvent, 'service' | 'action' | 'resources'>,
): Promise<readonly string[]> {
  const names = resources.map(({ name }) => name)
  const imageIds = names.filter((name) => isId('image', name))
  const snapshotIds = names.filter((name) => isId('snapshot', name))
  const images = imageIds.length > 0 ? await findImages(db, imageIds) : []
  const snapshots = snapshotIds.length > 0 ? await findSnapshots(db, snapshotIds) : []
  const shared = [...images.filter(({ isPublic }) => !isPublic), ...snapshots]
  const owners = new Set(shared.map(({ accountId }) => accountId))
  // Only a role that is there is taken.
  const takesRole = service === 'sts' && action === 'AssumeRole'
  for (const name of takesRole ? names : []) {
    const [, ofRole] = /^arn:aws:iam::(\d{12}):role\//.exec(name) ?? []
    if (ofRole !== undefined) owners.add(ofRole)
  }
  owners.delete(callerId)
  return [...owners]
}
