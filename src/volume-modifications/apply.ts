/**
 * Makes a change of a volume so. What was frozen of it before is smaller, so a
 * moment that is still owed of the volume is taken first.
 */
import { type Connections, transaction } from '../db/database.ts'
import { isFreezeWanted, type VolumeFiles } from '../freezes/offline.ts'
import type { Id } from '../lib/ids.ts'
import { reasonOf } from '../lib/reason-of.ts'
import { chainOf, resizeVolume, topLayer } from '../qemu/layers.ts'
import type { Bases } from '../volumes/bases.ts'
import { baseSourceOf, keysOfVolume } from '../volumes/disk-keys.ts'
import { findVolumeById, setVolumeShape } from '../volumes/store.ts'
import { bytesPerGiB } from '../volumes/volume.ts'
import type { Modification } from './modification.ts'
import { changeModificationState, listModificationsOf } from './store.ts'

/** A change could not be made so. Whoever gives up on it says so by `failModification`. */
export class ModificationFailed extends Error {
  readonly volumeId: Id<'volume'>

  constructor(volumeId: Id<'volume'>, cause: unknown) {
    super(reasonOf(cause), { cause })
    this.name = 'ModificationFailed'
    this.volumeId = volumeId
  }
}

/** Grows the volume by `grow`, which may be done again, and says so. Tells whether it came to that. */
export async function applyModification(
  { writes }: Connections,
  { volumeId, number, original, target }: Modification,
  grow: (sizeBytes: number) => Promise<void>,
): Promise<boolean> {
  if (await isFreezeWanted(writes, [volumeId])) return false
  if (target.sizeGiB !== original.sizeGiB) await grow(target.sizeGiB * bytesPerGiB)
  return await transaction(writes, (tx) =>
    changeModificationState(tx, { volumeId, number, from: 'modifying', to: 'optimizing' }),
  )
}

interface Growing {
  readonly bases: Pick<Bases, 'isWhole'>
}

/** The same of a volume that no machine has open. While it is held, none opens it. */
export async function applyOffline(
  { db, lanes, bases, volumeFolder, openDiskKey }: VolumeFiles & Growing,
  modification: Modification,
  isStillOffline: () => Promise<boolean> = async () => true,
): Promise<boolean> {
  const { volumeId } = modification
  return await lanes.hold(`volume/${volumeId}`, async () => {
    if (!(await isStillOffline())) return false
    const volume = await findVolumeById(db.writes, volumeId)
    // What makes it grow opens what it lies over.
    const source = volume && baseSourceOf(volume)
    if (source && !(await bases.isWhole(source))) return false
    return await applyModification(db, modification, async (sizeBytes) => {
      const keys = volume && (await keysOfVolume(volume, openDiskKey))
      await resizeVolume(volumeFolder(volumeId), sizeBytes, keys)
    })
  })
}

/** Says of a change that it will not be. The volume's row is put back to what its files are. */
export async function failModification(
  { db, volumeFolder }: Pick<VolumeFiles, 'db' | 'volumeFolder'>,
  failed: { readonly volumeId: Id<'volume'>; readonly message: string; readonly at: Date },
): Promise<void> {
  const { volumeId, message, at } = failed
  const last = (await listModificationsOf(db.writes, volumeId)).at(-1)
  if (last?.state !== 'modifying' || !(await findVolumeById(db.writes, volumeId))) return
  const folder = volumeFolder(volumeId)
  const { sizeBytes } = await chainOf(folder, await topLayer(folder))
  const sizeGiB = Math.max(last.original.sizeGiB, Math.ceil(sizeBytes / bytesPerGiB))
  await transaction(db.writes, async (tx) => {
    const { number } = last
    const change = { volumeId, number, from: 'modifying', to: 'failed', message } as const
    if (!(await changeModificationState(tx, { ...change, endedAt: at }))) return
    await setVolumeShape(tx, volumeId, { ...last.original, sizeGiB })
  })
}
