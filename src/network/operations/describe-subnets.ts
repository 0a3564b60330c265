/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html */
import type { DescribeSubnetsRequest, DescribeSubnetsResult } from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { listInterfaces } from '../interface-store.ts'
import { listSubnets } from '../store.ts'
import { availableAddresses, parseSubnetId, subnetNotFound } from '../subnet.ts'
import { type SubnetFacts, viewSubnet } from '../view.ts'
import { findZone } from '../zone.ts'

type Look = (facts: SubnetFacts) => string | number | boolean | undefined

const zone: Look = ({ subnet }) => subnet.availabilityZone
const zoneId: Look = ({ subnet }) => findZone(subnet.region, subnet.availabilityZone)?.id
const cidr: Look = ({ subnet }) => subnet.cidr
const isDefault: Look = ({ subnet }) => subnet.isDefault
const filters: FilterTable<SubnetFacts> = {
  'availability-zone': zone,
  availabilityZone: zone,
  'availability-zone-id': zoneId,
  availabilityZoneId: zoneId,
  'available-ip-address-count': ({ subnet, addressesInUse }) =>
    availableAddresses(subnet.cidr, addressesInUse),
  cidr,
  'cidr-block': cidr,
  cidrBlock: cidr,
  'default-for-az': isDefault,
  defaultForAz: isDefault,
  'map-public-ip-on-launch': ({ subnet }) => subnet.mapsPublicIp,
  'owner-id': ({ subnet }) => subnet.accountId,
  state: () => 'available',
  'subnet-arn': (facts) => viewSubnet(facts).SubnetArn,
  'subnet-id': ({ subnet }) => subnet.id,
  'vpc-id': ({ subnet }) => subnet.vpcId,
}

export const describeSubnets = readOperation<DescribeSubnetsRequest, DescribeSubnetsResult>({
  action: 'DescribeSubnets',
  async run({ input, db, caller, region }) {
    const { Filters, SubnetIds } = input
    checkFilters(Filters, filters)
    const owner = { accountId: caller.accountId, region }
    const all = await listSubnets(db, owner)
    const ids = SubnetIds?.length ? SubnetIds.map(parseSubnetId) : undefined
    for (const id of ids ?? []) if (!all.some((one) => one.id === id)) throw subnetNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'subnet' })
    const used = Map.groupBy(await listInterfaces(db, owner), ({ subnetId }) => subnetId)
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .map((subnet) => ({
        subnet,
        addressesInUse: used.get(subnet.id)?.length ?? 0,
        tags: tags.get(subnet.id) ?? [],
      }))
      .filter((facts) => matchesFilters(facts, Filters, filters, facts.tags))
    const { items, NextToken } = page(matching, input, ({ subnet }) => subnet.id)
    return { Subnets: items.map(viewSubnet), NextToken }
  },
})
