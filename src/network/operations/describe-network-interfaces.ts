/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html */
import type {
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { listInstances } from '../../instances/store.ts'
import { interfaceFilters } from '../filters.ts'
import { listGroups } from '../group-store.ts'
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
    const instances = new Map((await listInstances(db, owner)).map((one) => [one.id, one]))
    const matching = all
      .filter(({ id }) => !ids || ids.includes(id))
      .toSorted((one, other) => (one.id < other.id ? -1 : 1))
      .map((found) =>
        viewInterface({
          found,
          groups,
          instance: found.attachment && instances.get(found.attachment.instanceId),
          tags: tags.get(found.id) ?? [],
        }),
      )
      .filter((one) =>
        matchesFilters(one, Filters, interfaceFilters, tags.get(one.NetworkInterfaceId ?? '')),
      )
    const place = ({ NetworkInterfaceId = '' }) => NetworkInterfaceId
    const { items, NextToken } = page(matching, input, place)
    return { NetworkInterfaces: [...items], NextToken }
  },
})
