/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
import type { DescribeImagesRequest, DescribeImagesResult } from '@aws-sdk/client-ec2'
import { type Account, listAccounts } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type Filter, matchesFilters } from '../../lib/filters.ts'
import { page, readPageQuery } from '../../lib/pages.ts'
import { publicNamesOfImages } from '../../parameters/public.ts'
import { listTags } from '../../tags/store.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { type Allowance, readAllowance } from '../allowance.ts'
import { imageFilters, type ImageItem } from '../filters.ts'
import { viewerOf } from '../find.ts'
import { type Image, imagesNotFound, parseImageId } from '../image.ts'
import { permissionsOf, type Viewer } from '../launch-permission.ts'
import { type ImageQuery, listImages } from '../store.ts'
import { leavesOutDisabledNamedById } from '../unknowns.ts'
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
    const { input, db, caller, region, now } = call
    const { Filters } = input
    checkFilters(Filters, imageFilters)
    checkStateFilter(input)
    const accounts = await listAccounts(db)
    const { accountId } = caller
    const allowance = await readAllowance(db, { accountId, region, now }, accounts)
    const { after, count } = readPageQuery(input)
    // With one more than a page it shows whether there is another.
    const limit = Filters?.length || allowance.isEnforced ? undefined : count + 1
    const viewer = await viewerOf(db, accountId)
    const query = { ...readQuery(call, viewer, accounts), after, limit }
    const images = await find(call, query, allowance)

    const verdicts = await allowance.judge(images)
    const aliases = new Map(accounts.map(({ id, alias }) => [id, alias]))
    const needsWatermarks = Filters?.some(({ Name }) => Name?.startsWith('image-watermark.'))
    const allWatermarks = needsWatermarks ? await watermarksOf(db, images) : undefined
    const publicNames = await publicNamesOfImages(db, region)
    const items = images.map((image) => ({
      image,
      ownerAlias: aliases.get(image.accountId),
      isAllowed: verdicts.get(image.id),
      watermarks: allWatermarks?.get(image.id),
      publicName: publicNames.get(image.id),
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
    const Images = shown.map(({ image, ownerAlias, isAllowed, publicName }) =>
      viewImage(image, {
        tags: tags.get(image.id),
        ownerAlias,
        isAllowed,
        publicName,
        watermarks: watermarks.get(image.id),
        now,
      }),
    )
    return { Images, ...(NextToken && { NextToken }) }
  },
})

/** An image that one names and does not see is an error, whatever else one asks. */
async function find(
  { db }: Call,
  query: ImageQuery,
  { usable }: Allowance,
): Promise<readonly Image[]> {
  const { viewer, region, ids, ...narrowing } = query
  if (!ids) return await usable(await listImages(db, query))
  const named = await usable(await listImages(db, { viewer, region, ids }))
  const seen = new Set(named.map(({ id }) => id))
  const missing = [...new Set(ids)].filter((id) => !seen.has(id))
  if (missing.length > 0) throw imagesNotFound(missing)
  const isAll = Object.values(narrowing).every((value) => value === undefined || value === Infinity)
  return isAll ? named : await usable(await listImages(db, query))
}

/** AWS does not let one look for disabled images without saying so twice. */
function checkStateFilter({ Filters, IncludeDisabled }: DescribeImagesRequest): void {
  const isAsked = Filters?.some(
    ({ Name, Values }) => Name === 'state' && Values?.includes('disabled'),
  )
  if (!isAsked || IncludeDisabled) return
  throw new ApiError(
    'InvalidParameter',
    "When filtering by the 'disabled' state, 'IncludeDisabled' must be set to 'true' in the request.",
  )
}

/** What the database can find out by itself; the filters do the rest. */
function readQuery(
  { input, region, now }: Call,
  viewer: Viewer,
  accounts: readonly Account[],
): ImageQuery {
  const self = viewer.accountId
  const ids = input.ImageIds?.map(parseImageId)
  const users = input.ExecutableUsers?.map((user) => parseUser(user, self, ['all']))
  return {
    viewer,
    region,
    ids,
    ownerIds: input.Owners?.map((owner) => {
      const provider = accounts.find(({ alias }) => alias === owner)
      return provider?.id ?? parseUser(owner, self, otherProviders)
    }),
    names: plainValues(input.Filters, 'name'),
    // Who names an image finds it, deprecated or not.
    notDeprecatedAt: input.IncludeDeprecated || ids ? undefined : now,
    withoutDisabled: (!input.IncludeDisabled && (!ids || leavesOutDisabledNamedById)) || undefined,
    ...(users && {
      // Of others, one hears what they were given by name, not what their organizations were.
      sharedWith: users
        .filter((user) => user !== 'all')
        .flatMap((accountId) => permissionsOf(accountId === self ? viewer : { accountId })),
      ...(users.includes('all') && { isPublic: true }),
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
