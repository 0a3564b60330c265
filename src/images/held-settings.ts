/** The settings that hold for an account's images: what it says itself, or what its organization declares. */
import type { Database } from '../db/database.ts'
import type { Owner } from '../lib/owner.ts'
import { findDeclared } from '../organizations/declared-store.ts'
import type { ImageSettings } from './image-settings.ts'
import { findImageSettings } from './settings-store.ts'

export type Manager = 'account' | 'declarative-policy'

export interface HeldSettings extends ImageSettings {
  /** Who says it. */
  readonly managers: { readonly publicAccess: Manager; readonly allowedImages: Manager }
  /** What the organization has to say to those whom it keeps from something. */
  readonly message: string | undefined
}

export async function readImageSettings(db: Database, owner: Owner): Promise<HeldSettings> {
  const own = await findImageSettings(db, owner)
  const declared = await findDeclared(db, owner.accountId)
  const { imagePublicAccess, allowedImages, exceptionMessage } = declared
  return {
    publicAccess: imagePublicAccess ?? own.publicAccess,
    allowedState: allowedImages?.state ?? own.allowedState,
    criteria: allowedImages?.criteria ?? own.criteria,
    managers: {
      publicAccess: managerOf(imagePublicAccess),
      allowedImages: managerOf(allowedImages),
    },
    message: exceptionMessage,
  }
}

const managerOf = (declared: unknown): Manager =>
  declared === undefined ? 'account' : 'declarative-policy'
