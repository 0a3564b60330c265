/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeReplaceRootVolumeTasks.html */
import type {
  DescribeReplaceRootVolumeTasksRequest,
  DescribeReplaceRootVolumeTasksResult,
} from '@aws-sdk/client-ec2'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { listTags } from '../../tags/store.ts'
import { readOperation } from '../../wire/operation.ts'
import { parseReplacementId, type Replacement, replacementNotFound } from '../replacement.ts'
import { listReplacements } from '../store.ts'
import { viewReplacement } from '../view.ts'

const filters: FilterTable<Replacement> = { 'instance-id': ({ instanceId }) => instanceId }

export const describeReplaceRootVolumeTasks = readOperation<
  DescribeReplaceRootVolumeTasksRequest,
  DescribeReplaceRootVolumeTasksResult
>({
  action: 'DescribeReplaceRootVolumeTasks',
  async run({ input, db, caller, region }) {
    const { ReplaceRootVolumeTaskIds: wanted, Filters } = input
    checkFilters(Filters, filters)
    const ids = wanted?.length ? wanted.map(parseReplacementId) : undefined
    const owner = { accountId: caller.accountId, region }
    const tasks = await listReplacements(db, owner)
    const known = new Set(tasks.map(({ id }) => id))
    for (const id of ids ?? []) if (!known.has(id)) throw replacementNotFound(id)
    const tags = await listTags(db, { ...owner, resourceType: 'replace-root-volume-task' })
    const matching = tasks
      .filter(({ id }) => !ids || ids.includes(id))
      .filter((task) => matchesFilters(task, Filters, filters, tags.get(task.id)))
    const { items, NextToken } = page(matching, input, ({ id }) => id, { min: 1, max: 50 })
    return {
      ReplaceRootVolumeTasks: items.map((task) => viewReplacement(task, tags.get(task.id) ?? [])),
      NextToken,
    }
  },
})
