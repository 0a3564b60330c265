/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html */
import type { DescribeVpcsRequest, DescribeVpcsResult } from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { vpcFilters } from '../filters.ts'
import { listVpcs } from '../store.ts'
import { viewVpc } from '../view.ts'
import { parseVpcId, vpcNotFound } from '../vpc.ts'

export const describeVpcs = readOperation<DescribeVpcsRequest, DescribeVpcsResult>({
  action: 'DescribeVpcs',
  async run({ input, db, caller, region }) {
    const { Filters, VpcIds } = input
    checkFilters(Filters, vpcFilters)
    const owner = { accountId: caller.accountId, region }
    const all = await listVpcs(db, owner)
    const ids = VpcIds?.length ? VpcIds.map(parseVpcId) : undefined
    for (const id of ids ?? []) if (!all.some((vpc) => vpc.id === id)) throw vpcNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'vpc' })
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .map((vpc) => viewVpc(vpc, tags.get(vpc.id) ?? []))
      .filter((view) => matchesFilters(view, Filters, vpcFilters, tags.get(view.VpcId ?? '')))
    const { items, NextToken } = page(matching, input, ({ VpcId = '' }) => VpcId)
    return { Vpcs: [...items], NextToken }
  },
})
