/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceImageMetadata.html */
import type {
  DescribeInstanceImageMetadataRequest,
  DescribeInstanceImageMetadataResult,
  InstanceImageMetadata,
} from '@aws-sdk/client-ec2'
import { listProviders } from '../../iam/store.ts'
import type { Instance } from '../../instances/instance.ts'
import { checkNoPagesOfIds, findInstances } from '../../instances/lookup.ts'
import { listInstances } from '../../instances/store.ts'
import { viewState } from '../../instances/view.ts'
import { inChunks } from '../../lib/chunks.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import type { Id } from '../../lib/ids.ts'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { listTags } from '../../tags/store.ts'
import { viewTags } from '../../tags/view.ts'
import { type ReadCall, readOperation } from '../../wire/operation.ts'
import { readAllowance } from '../allowance.ts'
import type { Image } from '../image.ts'
import { findImages } from '../store.ts'
import { viewImageMetadata } from '../view.ts'
import { listWatermarks } from '../watermark-store.ts'

const filters: FilterTable<InstanceImageMetadata> = {
  'availability-zone': (one) => one.AvailabilityZone,
  'image-allowed': (one) => one.ImageMetadata?.ImageAllowed,
  'instance-id': (one) => one.InstanceId,
  'instance-state-name': (one) => one.State?.Name,
  'instance-type': (one) => one.InstanceType,
  'launch-time': (one) => one.LaunchTime,
  'owner-alias': (one) => one.ImageMetadata?.ImageOwnerAlias,
  'owner-id': (one) => one.OwnerId,
  'zone-id': (one) => one.ZoneId,
}

type Call = ReadCall<DescribeInstanceImageMetadataRequest>

export const describeInstanceImageMetadata = readOperation<
  DescribeInstanceImageMetadataRequest,
  DescribeInstanceImageMetadataResult
>({
  action: 'DescribeInstanceImageMetadata',
  async run(call) {
    const { input, db, caller, region } = call
    const { InstanceIds: ids = [], Filters } = input
    const { accountId } = caller
    checkNoPagesOfIds(ids, input.MaxResults)
    checkFilters(Filters, filters)
    const instances =
      ids.length > 0
        ? await findInstances(db, call, ids)
        : await listInstances(db, { accountId, region })
    const tags = await listTags(db, { accountId, resourceIds: instances.map(({ id }) => id) })
    const images = await imagesOf(call, instances)
    const views = instances.map((instance) => ({
      InstanceId: instance.id,
      InstanceType: instance.instanceType as InstanceImageMetadata['InstanceType'],
      LaunchTime: instance.launchedAt,
      AvailabilityZone: instance.availabilityZone,
      ZoneId: findZone(region, instance.availabilityZone)?.id,
      State: viewState(instance.state),
      OwnerId: instance.accountId,
      Tags: viewTags(tags.get(instance.id)),
      ImageMetadata: images.get(instance.imageId) ?? { ImageId: instance.imageId },
    }))
    const matching = views.filter((view) =>
      matchesFilters(view, Filters, filters, tags.get(view.InstanceId)),
    )
    const { items, NextToken } = page(matching, input, ({ InstanceId }) => InstanceId)
    return { InstanceImageMetadata: [...items], ...(NextToken && { NextToken }) }
  },
})

/** What the instances were launched from, whatever has become of it and whoever may see it now. */
async function imagesOf({ db, caller, region, now }: Call, instances: readonly Instance[]) {
  const aliases = new Map((await listProviders(db)).map(({ id, alias }) => [id, alias]))
  const ids = [...new Set(instances.map(({ imageId }) => imageId))]
  const watermarks = await listWatermarks(db, ids)
  const images: Image[] = []
  for (const some of inChunks(ids)) images.push(...(await findImages(db, some)))
  const { accountId } = caller
  const verdicts = await (await readAllowance(db, { accountId, region, now })).judge(images)
  return new Map<Id<'image'>, ReturnType<typeof viewImageMetadata>>(
    images.map((image) => [
      image.id,
      viewImageMetadata(image, {
        ownerAlias: aliases.get(image.accountId),
        isAllowed: verdicts.get(image.id),
        watermarks: watermarks.get(image.id),
        now,
      }),
    ]),
  )
}
