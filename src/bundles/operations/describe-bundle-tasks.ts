/**
 * Nothing bundles instances any more, as on AWS: there are no tasks, of anybody's.
 * https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeBundleTasks.html
 */
import type { DescribeBundleTasksRequest, DescribeBundleTasksResult } from '@aws-sdk/client-ec2'
import { checkFilters } from '../../lib/filters.ts'
import { readOperation } from '../../wire/operation.ts'
import { bundleTaskNotFound } from '../bundle-task.ts'

const none = (_task: never): undefined => undefined

const filters = {
  'bundle-id': none,
  'error-code': none,
  'error-message': none,
  'instance-id': none,
  progress: none,
  's3-bucket': none,
  's3-prefix': none,
  'start-time': none,
  state: none,
  'update-time': none,
}

export const describeBundleTasks = readOperation<
  DescribeBundleTasksRequest,
  DescribeBundleTasksResult
>({
  action: 'DescribeBundleTasks',
  async run({ input }) {
    checkFilters(input.Filters, filters)
    const [named] = input.BundleIds ?? []
    if (named !== undefined) throw bundleTaskNotFound(named)
    return { BundleTasks: [] }
  },
})
