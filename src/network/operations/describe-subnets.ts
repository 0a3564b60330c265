/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html */
import type { DescribeSubnetsRequest, DescribeSubnetsResult } from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { subnetFilters } from '../filters.ts'
import { listInterfaces } from '../interface-store.ts'
import { listSubnets } from '../store.ts'
import { parseSubnetId, subnetNotFound } from '../subnet.ts'
import { viewSubnet } from '../view.ts'

export const describeSubnets = readOperation<DescribeSubnetsRequest, DescribeSubnetsResult>({
  action: 'DescribeSubnets',
  async run({ input, db, caller, region }) {
    const { Filters, SubnetIds } = input
    checkFilters(Filters, subnetFilters)
    const owner = { accountId: caller.accountId, region }
    const all = await listSubnets(db, owner)
    const ids = SubnetIds?.length ? SubnetIds.map(parseSubnetId) : undefined
    for (const id of ids ?? []) if (!all.some((one) => one.id === id)) throw subnetNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'subnet' })
    const used = Map.groupBy(await listInterfaces(db, owner), ({ subnetId }) => subnetId)
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .map((subnet) =>
        viewSubnet({
          subnet,
          addressesInUse: used.get(subnet.id)?.length ?? 0,
          tags: tags.get(subnet.id) ?? [],
        }),
      )
      .filter((one) => matchesFilters(one, Filters, subnetFilters, tags.get(one.SubnetId ?? '')))
    const { items, NextToken } = page(matching, input, ({ SubnetId = '' }) => SubnetId)
    return { Subnets: [...items], NextToken }
  },
})
