/**
 * A launch takes a snapshot out of the reserve for its root: its own account's first, else
 * that of the image's owner. Where none fits it is launched as ever.
 */
import type { Tx } from '../db/database.ts'
import type { Image } from '../images/image.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { removeSnapshot } from '../snapshots/remove.ts'
import type { CompletedSnapshot } from '../snapshots/snapshot.ts'
import { findSnapshot } from '../snapshots/store.ts'
import { chooseEncryption, type Encryption, type EncryptionCall } from '../volumes/encryption.ts'
import { isUsable } from './next.ts'
import { deleteReserve, listReserves } from './store.ts'

/** The root as it would be without a reserve. */
interface Root {
  readonly sizeGiB: number
  readonly encrypted: boolean | undefined
  readonly keyId?: string | undefined
  readonly encryption: Encryption | undefined
}

/** The snapshot is the caller's to use up: when the volume is recorded, `removeReserved` is due. */
export async function takeReserve(
  call: EncryptionCall,
  image: Image,
  { sizeGiB, encrypted, keyId, encryption }: Root,
): Promise<CompletedSnapshot | undefined> {
  if (image.platform !== 'windows' || encryption?.problem !== undefined) return undefined
  const { tx, caller } = call
  const all = await listReserves(tx, { imageId: image.id })
  const of = (owner: string) => all.filter(({ accountId }) => accountId === owner)
  const isOwner = image.accountId === caller.accountId
  for (const reserve of [...of(caller.accountId), ...(isOwner ? [] : of(image.accountId))]) {
    if (reserve.state !== 'ready' || reserve.snapshotId === undefined) continue
    const snapshot = await findSnapshot(tx, reserve.snapshotId)
    if (!isUsable(snapshot) || snapshot.volumeSizeGiB > sizeGiB) continue
    // It is to make no difference to the caller: not in the key, nor in who may use that.
    const wish = { encrypted, keyId, source: snapshot }
    const same = await chooseEncryption(call, wish).catch(ignoreRefusal)
    if (same === 'refused' || same?.problem !== undefined || same?.arn !== encryption?.arn) continue
    if (await deleteReserve(tx, reserve.instanceId)) return snapshot
  }
  return undefined
}

/** What is used up goes, so that nothing is launched of it twice; somebody else may hold on to it. */
export async function removeReserved(tx: Tx, id: Id<'snapshot'>, now: Date): Promise<boolean> {
  try {
    await removeSnapshot(tx, id, now)
    return true
  } catch (error) {
    if (error instanceof ApiError) return false
    throw error
  }
}

function ignoreRefusal(error: unknown): 'refused' {
  if (error instanceof ApiError) return 'refused'
  throw error
}
