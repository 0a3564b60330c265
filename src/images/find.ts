/** Finds the image that a call names, or refuses the call. */
import type { Database } from '../db/database.ts'
import { ApiError } from '../lib/errors.ts'
import type { Id } from '../lib/ids.ts'
import { findMembership } from '../organizations/store.ts'
import { readAllowance } from './allowance.ts'
import { type Image, imagesNotFound, imageUnavailable, parseImageId } from './image.ts'
import type { Viewer } from './launch-permission.ts'
import { findImage, listImages } from './store.ts'

interface Query {
  readonly accountId: string
  readonly region: string
  /** As the caller wrote it. */
  readonly id: string | undefined
}

/** An account as who it looks at images: with its place in an organization. */
export async function viewerOf(db: Database, accountId: string): Promise<Viewer> {
  return { accountId, ...(await findMembership(db, accountId)) }
}

/** The image, where the account owns it, it is public, or it is shared with it. */
export async function findVisible(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly id: Id<'image'> },
): Promise<Image | undefined> {
  const { accountId, region, id } = query
  const image = await findImage(db, id)
  if (image?.region !== region || image.state === 'recycled' || image.state === 'deregistered') {
    return undefined
  }
  if (image.accountId === accountId || image.isPublic) return image
  const [shared] = await listImages(db, {
    viewer: await viewerOf(db, accountId),
    region,
    ids: [id],
  })
  return shared
}

/** An image that the caller sees and that its account allows. */
export async function visibleImage(
  db: Database,
  query: Query & { readonly now: Date },
): Promise<Image> {
  const id = parseImageId(query.id ?? '')
  const visible = await findVisible(db, { ...query, id })
  if (!visible) return await refuseInvisible(db, query, id)
  if (await isAllowed(db, query, visible)) return visible
  throw imagesNotFound([id])
}

/** Tells whether an account lets itself use an image. */
export async function isAllowed(
  db: Database,
  query: { readonly accountId: string; readonly region: string; readonly now: Date },
  image: Image,
): Promise<boolean> {
  if (image.accountId === query.accountId) return true
  const { usable } = await readAllowance(db, query)
  return (await usable([image])).length > 0
}

/** An image of the caller's own, in any state but deregistered. */
export async function ownImage(db: Database, query: Query): Promise<Image> {
  const id = parseImageId(query.id ?? '')
  const image = await findVisible(db, { ...query, id })
  if (!image) return await refuseInvisible(db, query, id)
  if (image.accountId === query.accountId) return image
  throw new ApiError('AuthFailure', `Not authorized for image:${image.id}`)
}

/** Only its owner hears that an image was there once. */
async function refuseInvisible(
  db: Database,
  { accountId, region }: Query,
  id: Id<'image'>,
): Promise<never> {
  const image = await findImage(db, id)
  if (image?.accountId === accountId && image.region === region) throw imageUnavailable(id)
  throw imagesNotFound([id])
}
