/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeStoreImageTasks.html */
import type {
  DescribeStoreImageTasksRequest,
  DescribeStoreImageTasksResult,
} from '@aws-sdk/client-ec2'
import { parseImageId } from '../../images/image.ts'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, type FilterTable, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { listStoreTasks } from '../store.ts'
import { startedBefore, type StoreTask } from '../store-task.ts'

const filters: FilterTable<StoreTask> = {
  bucket: ({ bucket }) => bucket,
  'task-state': ({ state }) => state,
}

const imagesMax = 20

export const describeStoreImageTasks = readOperation<
  DescribeStoreImageTasksRequest,
  DescribeStoreImageTasksResult
>({
  action: 'DescribeStoreImageTasks',
  async run({ input, db, caller, region, now }) {
    const { accountId } = caller
    const imageIds = new Set((input.ImageIds ?? []).map(parseImageId))
    if (imageIds.size > imagesMax) {
      throw new ApiError('InvalidParameterValue', `A call can name at most ${imagesMax} images.`)
    }
    if (imageIds.size > 0 && input.MaxResults !== undefined) {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter maxResults cannot be used with the parameter imageIds',
      )
    }
    checkFilters(input.Filters, filters)
    const all = await listStoreTasks(db, { accountId, region, since: startedBefore(now) })
    // Who names images gets their tasks, whatever the filters say: so AWS has it.
    const matching = all.filter((task) =>
      imageIds.size > 0 ? imageIds.has(task.imageId) : matchesFilters(task, input.Filters, filters),
    )
    const { items, NextToken } = page(matching, input, ({ id }) => id, { min: 1, max: 200 })
    return {
      StoreImageTaskResults: items.map((task) => ({
        AmiId: task.imageId,
        TaskStartTime: task.startedAt,
        Bucket: task.bucket,
        S3objectKey: task.key,
        ProgressPercentage: task.progressPercent,
        StoreTaskState: task.state,
        StoreTaskFailureReason: task.failureReason,
      })),
      ...(NextToken && { NextToken }),
    }
  },
})
