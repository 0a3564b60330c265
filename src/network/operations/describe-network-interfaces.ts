/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
import type {
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { listGroups } from '../group-store.ts'
import { interfaceFilters } from '../interface-filters.ts'
import { listInterfaces } from '../interface-store.ts'
import { interfaceNotFound, parseInterfaceId } from '../network-interface.ts'
import { viewInterface } from '../view.ts'

export const describeNetworkInterfaces = readOperation<
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult
>({
  action: 'DescribeNetworkInterfaces',
  async run({ input, db, caller, region }) {
    const { Filters, NetworkInterfaceIds } = input
    checkFilters(Filters, interfaceFilters)
    const owner = { accountId: caller.accountId, region }
    const all = await listInterfaces(db, owner)
    const ids = NetworkInterfaceIds?.length ? NetworkInterfaceIds.map(parseInterfaceId) : undefined
    for (const id of ids ?? []) if (!all.some((one) => one.id === id)) throw interfaceNotFound(id)
    const groups = new Map((await listGroups(db, owner)).map((group) => [group.id, group]))
    const tags = await listTags(db, { ...owner, resourceType: 'network-interface' })
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .map((found) => ({ found, groups, tags: tags.get(found.id) ?? [] }))
      .filter((facts) => matchesFilters(facts, Filters, interfaceFilters, facts.tags))
      .toSorted((one, other) => (one.found.id < other.found.id ? -1 : 1))
    const { items, NextToken } = page(matching, input, ({ found }) => found.id)
    return { NetworkInterfaces: items.map(viewInterface), NextToken }
  },
})
