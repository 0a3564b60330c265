/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html */
import type {
  DescribeInstanceStatusRequest,
  DescribeInstanceStatusResult,
  InstanceStatus,
  InstanceStatusSummary,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { findZone } from '../../network/zone.ts'
import { readOperation } from '../../wire/operation.ts'
import type { Instance } from '../instance.ts'
import { checkNoPagesOfIds, findInstances } from '../lookup.ts'
import { listInstances } from '../store.ts'
import { viewState } from '../view.ts'

export const describeInstanceStatus = readOperation<
  DescribeInstanceStatusRequest,
  DescribeInstanceStatusResult
>({
  action: 'DescribeInstanceStatus',

  async run(call) {
    const { input, db } = call
    const { InstanceIds: ids = [], Filters } = input
    checkNoPagesOfIds(ids, input.MaxResults)
    checkFilters(Filters, statusFilters, { takesTags: false })
    const owner = { accountId: call.caller.accountId, region: call.region }
    const wanted =
      ids.length > 0 ? await findInstances(db, call, ids) : await listInstances(db, owner)
    const statuses = wanted
      .filter(({ state }) => input.IncludeAllInstances === true || state === 'running')
      .map(viewStatus)
      .filter((status) => matchesFilters(status, Filters, statusFilters))
      .toSorted((a, b) => ((a.InstanceId ?? '') < (b.InstanceId ?? '') ? -1 : 1))
    const { items, NextToken } = page(statuses, input, ({ InstanceId = '' }) => InstanceId)
    return { InstanceStatuses: [...items], NextToken }
  },
})

function viewStatus(instance: Instance): InstanceStatus {
  const { id, region, availabilityZone, state } = instance
  // A machine that runs is one that its host has seen running.
  const isRunning = state === 'running'
  const summary: InstanceStatusSummary = isRunning
    ? {
        Status: 'ok',
        Details: [{ Name: 'reachability', Status: 'passed' }],
      }
    : { Status: 'not-applicable' }
  return {
    InstanceId: id,
    AvailabilityZone: availabilityZone,
    AvailabilityZoneId: findZone(region, availabilityZone)?.id,
    InstanceState: viewState(state),
    InstanceStatus: summary,
    SystemStatus: summary,
    ...(isRunning && {
      AttachedEbsStatus: { Status: 'ok', Details: [{ Name: 'reachability', Status: 'passed' }] },
    }),
  }
}

const statusFilters: FilterTable<InstanceStatus> = {
  'application-status.status': () => undefined,
  'attached-ebs-status.reachability': (status) =>
    status.AttachedEbsStatus?.Details?.map(({ Status }) => Status),
  'attached-ebs-status.status': (status) => status.AttachedEbsStatus?.Status,
  'availability-zone': (status) => status.AvailabilityZone,
  'availability-zone-id': (status) => status.AvailabilityZoneId,
  'event.code': () => undefined,
  'event.description': () => undefined,
  'event.instance-event-id': () => undefined,
  'event.not-after': () => undefined,
  'event.not-before': () => undefined,
  'event.not-before-deadline': () => undefined,
  'instance-state-code': (status) => status.InstanceState?.Code,
  'instance-state-name': (status) => status.InstanceState?.Name,
  'instance-status.reachability': (status) =>
    status.InstanceStatus?.Details?.map(({ Status }) => Status),
  'instance-status.status': (status) => status.InstanceStatus?.Status,
  'operator.managed': () => undefined,
  'operator.principal': () => undefined,
  'system-status.reachability': (status) =>
    status.SystemStatus?.Details?.map(({ Status }) => Status),
  'system-status.status': (status) => status.SystemStatus?.Status,
}
