/** Finds the image that a call names, or refuses the call. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import { type Image, imagesNotFound, imageUnavailable, parseImageId } from './image.ts'
import { findImage, findVisible } from './store.ts'

interface Query {
  readonly accountId: string
  readonly region: string
  /** As the caller wrote it. */
  readonly id: string | undefined
}

/** An image that the caller sees: its own, a public one, or one shared with it. */
export async function visibleImage(db: Database, query: Query): Promise<Image> {
  const id = parseImageId(query.id ?? '')
  const visible = await findVisible(db, { ...query, id })
  if (visible) return visible
  const image = await findImage(db, id)
  if (image?.accountId === query.accountId && image.region === query.region) {
    throw imageUnavailable(id)
  }
  throw imagesNotFound([id])
}

/** An image of the caller's own, in any state but deregistered. */
export async function ownImage(db: Database, query: Query): Promise<Image> {
  const image = await visibleImage(db, query)
  if (image.accountId === query.accountId) return image
  throw new ApiError('AuthFailure', `Not authorized for image:${image.id}`)
}
