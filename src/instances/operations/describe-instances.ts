/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html */
import type { DescribeInstancesRequest, DescribeInstancesResult } from '@aws-sdk/client-ec2'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { tagOfInput } from '../../tags/tag.ts'
import { readOperation } from '../../wire/operation.ts'
import { viewInstances, viewReservations } from '../details.ts'
import { instanceFilters } from '../filters.ts'
import { checkNoPagesOfIds, findInstances } from '../lookup.ts'
import { listInstances } from '../store.ts'

export const describeInstances = readOperation<DescribeInstancesRequest, DescribeInstancesResult>({
  action: 'DescribeInstances',

  async run(call) {
    const { input, db } = call
    const { InstanceIds: ids = [], Filters } = input
    checkNoPagesOfIds(ids, input.MaxResults)
    checkFilters(Filters, instanceFilters)
    const owner = { accountId: call.caller.accountId, region: call.region }
    const wanted =
      ids.length > 0 ? await findInstances(db, call, ids) : await listInstances(db, owner)
    const viewed = (await viewInstances(db, owner, wanted)).filter((one) => {
      const tags = (one.view.Tags ?? []).map(tagOfInput)
      return matchesFilters(one, Filters, instanceFilters, tags)
    })
    const { items, NextToken } = page(viewed, input, ({ instance }) => instance.id)
    return { Reservations: viewReservations(items), NextToken }
  },
})
