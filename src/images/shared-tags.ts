/**
 * Tags of an image as an account sees them: its own, and those that the image's owner
 * shows to all who have it.
 */
import type { Database } from '../db/database.ts'
import { listSharedTags } from '../tags/store.ts'
import { type Tag, withTags } from '../tags/tag.ts'
import type { Image } from './image.ts'

/** The account's own tags of images that it sees, with those of the owners. */
export async function withSharedTags(
  db: Database,
  viewed: {
    readonly accountId: string
    readonly own: ReadonlyMap<string, readonly Tag[]>
    readonly images: readonly Pick<Image, 'id' | 'accountId'>[]
  },
): Promise<ReadonlyMap<string, readonly Tag[]>> {
  const { accountId, own, images } = viewed
  const others = images.filter((image) => image.accountId !== accountId)
  const shared = await listSharedTags(db, others)
  const seen = new Map<string, readonly Tag[]>(own)
  for (const [id, tags] of shared) seen.set(id, inOrder(withTags(tags, own.get(id) ?? [])))
  return seen
}

const inOrder = (tags: readonly Tag[]): readonly Tag[] =>
  tags.toSorted((a, b) => (a.key < b.key ? -1 : 1))

/** The same of one image, as far as a copy can take them along. */
export async function tagsToCopy(
  db: Database,
  accountId: string,
  image: Pick<Image, 'id' | 'accountId'>,
  own: readonly Tag[],
): Promise<readonly Tag[]> {
  const viewed = { accountId, own: new Map([[image.id, own]]), images: [image] }
  const seen = (await withSharedTags(db, viewed)).get(image.id) ?? []
  return seen.filter(({ key }) => !key.toLowerCase().startsWith('aws:'))
}
