/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
import type { DescribeImagesRequest, DescribeImagesResult } from '@aws-sdk/client-ec2'
import { type Account, listProviders } from '../../iam/store.ts'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type Filter, matchesFilters } from '../../lib/filters.ts'
import { page, readPageQuery } from '../../lib/pages.ts'
import { publicNamesOfImages } from '../../parameters/public.ts'
import { resultsOf } from '../../scans/results-of.ts'
import { listTaggedIds, listTags } from '../../tags/store.ts'
import { sharedTagPrefix } from '../../tags/tag.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { type Allowance, readAllowance } from '../allowance.ts'
import { imageFilters, type ImageItem } from '../filters.ts'
import { viewerOf } from '../find.ts'
import { type Image, imagesNotFound, parseImageId } from '../image.ts'
import { permissionsOf, type Viewer } from '../launch-permission.ts'
import { withSharedTags } from '../shared-tags.ts'
import { type ImageQuery, listImages } from '../store.ts'
import { leavesOutDisabledNamedById } from '../unknowns.ts'
import { viewImage } from '../view.ts'
import { listWatermarks } from '../watermark-store.ts'

type Call = ReadCall<DescribeImagesRequest>

/** Providers of images in AWS that there is no account of here. */
const otherProviders = ['amazon', 'aws-marketplace', 'aws-backup-vault']

/** Images are looked through in batches, each four times as large as the one before. */
const batchMin = 500

/** So few ids are looked up one by one instead. */
const amongMax = 500

/** From here on, all tags that the caller has put on images are read instead of those of each. */
const tagsByIdMax = 500

export const describeImages = readOperation<DescribeImagesRequest, DescribeImagesResult>({
  action: 'DescribeImages',
  async run(call) {
    const { input, db, caller, region, now } = call
    const { Filters } = input
    checkFilters(Filters, imageFilters)
    checkStateFilter(input)
    const providers = await listProviders(db)
    const { accountId } = caller
    const allowance = await readAllowance(db, { accountId, region, now }, providers)
    const { after, count } = readPageQuery(input)
    const viewer = await viewerOf(db, accountId)
    const query = { ...readQuery(call, viewer, providers), after, ...(await narrow(call)) }
    const aliases = new Map(providers.map(({ id, alias }) => [id, alias]))
    const context: Context = {
      allowance,
      aliases,
      publicNames: await publicNamesOfImages(db, region),
    }
    if (query.ids) await checkNamed(call, query, allowance)
    const matching = await find(call, context, query, count)
    const { items: shown, NextToken } = page(matching, input, ({ image }) => image.id)
    const ids = shown.map(({ image }) => image.id)
    const images = shown.map(({ image }) => image)
    const tags = await tagsOf(call, images, images)
    const watermarks = await listWatermarks(db, ids)
    const scans = await resultsOf(db, images)
    const Images = shown.map(({ image, ownerAlias, isAllowed, publicName }) =>
      viewImage(image, {
        tags: tags.get(image.id),
        ownerAlias,
        isAllowed,
        publicName,
        watermarks: watermarks.get(image.id),
        scan: scans.get(image.id),
        isOwner: image.accountId === accountId,
        now,
      }),
    )
    return { Images, ...(NextToken && { NextToken }) }
  },
})

interface Context {
  readonly allowance: Allowance
  readonly aliases: ReadonlyMap<string, string | undefined>
  readonly publicNames: ReadonlyMap<string, string>
}

/** What passes the filters, in the order of ids: as much of it as shows whether there is another page. */
async function find(
  call: Call,
  context: Context,
  query: ImageQuery,
  count: number,
): Promise<readonly ImageItem[]> {
  const found: ImageItem[] = []
  const isFiltered = Boolean(call.input.Filters?.length) || context.allowance.isEnforced
  let limit = isFiltered ? Math.max(count + 1, batchMin) : count + 1
  let { after } = query
  for (;;) {
    const images = await listImages(call.db, { ...query, after, limit })
    found.push(...(await filter(call, context, images)))
    after = images.at(-1)?.id
    if (found.length > count || images.length < limit || after === undefined) return found
    limit *= 4
  }
}

async function filter(
  call: Call,
  { allowance, aliases, publicNames }: Context,
  listed: readonly Image[],
): Promise<readonly ImageItem[]> {
  const { Filters } = call.input
  const images = await allowance.usable(listed)
  const ids = images.map(({ id }) => id)
  const verdicts = await allowance.judge(images)
  const needs = (start: string) => Filters?.some(({ Name }) => Name?.startsWith(start))
  const watermarks = needs('image-watermark.') ? await listWatermarks(call.db, ids) : undefined
  const scans = needs('scan-result.') ? await resultsOf(call.db, images) : undefined
  const shown = Filters?.some(asksForShownTags) ? images : []
  const tags = needs('tag') ? await tagsOf(call, images, shown) : undefined
  const items = images.map((image) => ({
    image,
    ownerAlias: aliases.get(image.accountId),
    isAllowed: verdicts.get(image.id),
    watermarks: watermarks?.get(image.id),
    publicName: publicNames.get(image.id),
    scan: scans?.get(image.id),
  }))
  return items.filter((item) =>
    matchesFilters(item, Filters, imageFilters, tags?.get(item.image.id)),
  )
}

/** An image that one names and does not see is an error, whatever else one asks. */
async function checkNamed(
  { db }: Call,
  { viewer, region, ids = [] }: ImageQuery,
  { usable }: Allowance,
): Promise<void> {
  const named = await usable(await listImages(db, { viewer, region, ids }))
  const seen = new Set(named.map(({ id }) => id))
  const missing = [...new Set(ids)].filter((id) => !seen.has(id))
  if (missing.length > 0) throw imagesNotFound(missing)
}

/** What some filters leave, where the database can look it up: they all are applied again later. */
async function narrow({
  input,
  db,
  caller,
  region,
}: Call): Promise<Pick<ImageQuery, 'among' | 'publicOnly'>> {
  const { Filters } = input
  const isPublic = exactValues(Filters, 'is-public')
  const publicOnly = isPublic?.every((value) => value === 'true') || undefined
  let among = exactValues(Filters, 'image-id')
  for (const { Name = '', Values } of Filters ?? []) {
    const isByTag = Name === 'tag-key' || Name.startsWith('tag:')
    if (among || !isByTag || !Values?.every(isExact)) continue
    if (asksForShownTags({ Name, Values })) continue
    const keys = Name === 'tag-key' ? Values : [Name.slice('tag:'.length)]
    const wanted = Name === 'tag-key' ? { keys } : { keys, values: Values }
    const { accountId } = caller
    const owner = { accountId, region, resourceType: 'image' as const }
    among = await listTaggedIds(db, { ...owner, ...wanted, max: amongMax })
  }
  return { among, publicOnly }
}

const isExact = (value: string): boolean => !/[*?\\]/.test(value)

function exactValues(
  filters: readonly Filter[] | undefined,
  name: string,
): readonly string[] | undefined {
  const values = filters?.find(({ Name }) => Name === name)?.Values
  return values?.every(isExact) ? values : undefined
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
  providers: readonly Account[],
): ImageQuery {
  const self = viewer.accountId
  const ids = input.ImageIds?.map(parseImageId)
  const users = input.ExecutableUsers?.map((user) => parseUser(user, self, ['all']))
  const owners = input.Owners?.map((owner) => {
    const provider = providers.find(({ alias }) => alias === owner)
    return provider?.id ?? parseUser(owner, self, otherProviders)
  })
  return {
    viewer,
    region,
    ids,
    ownerIds: owners ?? exactValues(input.Filters, 'owner-id'),
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

const patternLengthMax = 1000

/** The values of a filter, where the database can look for them. */
function plainValues(
  filters: readonly Filter[] | undefined,
  name: string,
): readonly string[] | undefined {
  const values = filters?.find(({ Name }) => Name === name)?.Values
  return values?.every((value) => value.length <= patternLengthMax && !value.includes('\\'))
    ? values
    : undefined
}

/** Tells whether what others show of their tags can pass a filter that one's own do not. */
function asksForShownTags({ Name = '', Values = [] }: Filter): boolean {
  if (Name !== 'tag-key') return Name.startsWith(`tag:${sharedTagPrefix}`)
  return Values.some((value) => !isExact(value) || value.startsWith(sharedTagPrefix))
}

/** The caller's own tags of images, and those that others show of some. */
async function tagsOf(
  { db, caller, region }: Call,
  images: readonly Image[],
  shown: readonly Image[],
) {
  const { accountId } = caller
  const own =
    images.length > tagsByIdMax
      ? await listTags(db, { accountId, region, resourceType: 'image' })
      : await listTags(db, { accountId, resourceIds: images.map(({ id }) => id) })
  return await withSharedTags(db, { accountId, own, images: shown })
}
