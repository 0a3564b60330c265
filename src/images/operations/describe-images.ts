/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
import type { DescribeImagesRequest, DescribeImagesResult } from '@aws-sdk/client-ec2'
import { type Account, listAccounts } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type Filter, matchesFilters } from '../../lib/filters.ts'
import { page, readPageQuery } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { imageFilters, type ImageItem } from '../filters.ts'
import { type Image, imagesNotFound, parseImageId } from '../image.ts'
import { type ImageQuery, listImages } from '../store.ts'
import { viewImage } from '../view.ts'
import { listWatermarks } from '../watermark-store.ts'

type Call = ReadCall<DescribeImagesRequest>

/** Providers of images in AWS that there is no account of here. */
const otherProviders = ['amazon', 'aws-marketplace', 'aws-backup-vault']

/** From here on, all tags that the caller has put on images are read instead of those of each. */
const tagsByIdMax = 500

export const describeImages = readOperation<DescribeImagesRequest, DescribeImagesResult>({
  action: 'DescribeImages',
  async run(call) {
    const { input, db } = call
    const { Filters } = input
    checkFilters(Filters, imageFilters)
    const accounts = await listAccounts(db)
    const { after, count } = readPageQuery(input)
    // With one more than a page it shows whether there is another.
    const limit = Filters?.length ? undefined : count + 1
    const images = await find(call, { ...readQuery(call, accounts), after, limit })

    const aliases = new Map(accounts.map(({ id, alias }) => [id, alias]))
    const needsWatermarks = Filters?.some(({ Name }) => Name?.startsWith('image-watermark.'))
    const allWatermarks = needsWatermarks ? await watermarksOf(db, images) : undefined
    const items = images.map((image) => ({
      image,
      ownerAlias: aliases.get(image.accountId),
      watermarks: allWatermarks?.get(image.id),
    }))
    const needsTags = Filters?.some(({ Name }) => Name?.startsWith('tag'))
    const allTags = needsTags ? await tagsOf(call, items) : undefined
    const matching = Filters?.length
      ? items.filter((item) =>
          matchesFilters(item, Filters, imageFilters, allTags?.get(item.image.id)),
        )
      : items
    const { items: shown, NextToken } = page(matching, input, ({ image }) => image.id)
    const tags = allTags ?? (await tagsOf(call, shown))
    const watermarks = await watermarksOf(
      db,
      shown.map(({ image }) => image),
    )
    const Images = shown.map(({ image, ownerAlias }) =>
      viewImage(image, {
        tags: tags.get(image.id),
        ownerAlias,
        watermarks: watermarks.get(image.id),
      }),
    )
    return { Images, ...(NextToken && { NextToken }) }
  },
})

/** An image that one names and does not see is an error, whatever else one asks. */
async function find({ db }: Call, query: ImageQuery): Promise<readonly Image[]> {
  const { viewer, region, ids, ...narrowing } = query
  if (!ids) return await listImages(db, query)
  const named = await listImages(db, { viewer, region, ids })
  const seen = new Set(named.map(({ id }) => id))
  const missing = [...new Set(ids)].filter((id) => !seen.has(id))
  if (missing.length > 0) throw imagesNotFound(missing)
  const isAll = Object.values(narrowing).every((value) => value === undefined || value === Infinity)
  return isAll ? named : await listImages(db, query)
}

/** What the database can find out by itself; the filters do the rest. */
function readQuery({ input, caller, region }: Call, accounts: readonly Account[]): ImageQuery {
  const viewer = caller.accountId
  const grantees = input.ExecutableUsers?.map((user) => parseUser(user, viewer, ['all']))
  return {
    viewer,
    region,
    ids: input.ImageIds?.map(parseImageId),
    ownerIds: input.Owners?.map((owner) => {
      const provider = accounts.find(({ alias }) => alias === owner)
      return provider?.id ?? parseUser(owner, viewer, otherProviders)
    }),
    names: plainValues(input.Filters, 'name'),
    ...(grantees && {
      sharedWith: grantees.filter((grantee) => grantee !== 'all'),
      ...(grantees.includes('all') && { isPublic: true }),
    }),
  }
}

function parseUser(text: string, self: string, words: readonly string[]): string {
  if (text === 'self') return self
  if (words.includes(text) || /^\d{12}$/.test(text)) return text
  throw new ApiError('InvalidUserID.Malformed', `Invalid user id: "${text}"`)
}

/** The values of a filter, where the database can look for them. */
function plainValues(
  filters: readonly Filter[] | undefined,
  name: string,
): readonly string[] | undefined {
  const values = filters?.find(({ Name }) => Name === name)?.Values
  return values?.every((value) => !value.includes('\\')) ? values : undefined
}

async function tagsOf({ db, caller, region }: Call, items: readonly ImageItem[]) {
  const { accountId } = caller
  if (items.length > tagsByIdMax) {
    return await listTags(db, { accountId, region, resourceType: 'image' })
  }
  return await listTags(db, { accountId, resourceIds: items.map(({ image }) => image.id) })
}

const watermarksOf = (db: Call['db'], images: readonly Image[]) =>
  listWatermarks(
    db,
    images.map(({ id }) => id),
  )
