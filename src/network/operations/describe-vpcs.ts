/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html */
import type { DescribeVpcsRequest, DescribeVpcsResult } from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { listVpcs } from '../store.ts'
import { viewVpc } from '../view.ts'
import { parseVpcId, type Vpc, vpcNotFound } from '../vpc.ts'

const isDefault = (vpc: Vpc) => vpc.isDefault
const filters: FilterTable<Vpc> = {
  cidr: ({ cidr }) => cidr,
  'cidr-block': ({ cidr }) => cidr,
  'cidr-block-association.cidr-block': ({ cidr }) => cidr,
  'cidr-block-association.state': () => 'associated',
  'dhcp-options-id': ({ id }) => `dopt-${id.slice('vpc-'.length)}`,
  'is-default': isDefault,
  isDefault,
  'owner-id': ({ accountId }) => accountId,
  state: () => 'available',
  'vpc-id': ({ id }) => id,
}

export const describeVpcs = readOperation<DescribeVpcsRequest, DescribeVpcsResult>({
  action: 'DescribeVpcs',
  async run({ input, db, caller, region }) {
    const { Filters, VpcIds } = input
    checkFilters(Filters, filters)
    const owner = { accountId: caller.accountId, region }
    const all = await listVpcs(db, owner)
    const ids = VpcIds?.length ? VpcIds.map(parseVpcId) : undefined
    for (const id of ids ?? []) if (!all.some((vpc) => vpc.id === id)) throw vpcNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'vpc' })
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .filter((vpc) => matchesFilters(vpc, Filters, filters, tags.get(vpc.id)))
    const { items, NextToken } = page(matching, input, ({ id }) => id)
    return { Vpcs: items.map((vpc) => viewVpc(vpc, tags.get(vpc.id) ?? [])), NextToken }
  },
})
