/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImportImageTasks.html */
import type {
  DescribeImportImageTasksRequest,
  DescribeImportImageTasksResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { describeTasks } from '../describe.ts'
import { viewImageTask } from '../view.ts'

export const describeImportImageTasks = readOperation<
  DescribeImportImageTasksRequest,
  DescribeImportImageTasksResult
>({
  action: 'DescribeImportImageTasks',
  async run(call) {
    const { found, NextToken } = await describeTasks(call, 'import-image-task')
    return { ImportImageTasks: found.map(({ task, tags }) => viewImageTask(task, tags)), NextToken }
  },
})
