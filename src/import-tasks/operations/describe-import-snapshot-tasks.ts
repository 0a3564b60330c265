/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImportSnapshotTasks.html */
import type {
  DescribeImportSnapshotTasksRequest,
  DescribeImportSnapshotTasksResult,
} from '@aws-sdk/client-ec2'
import { readOperation } from '../../wire/operation.ts'
import { describeTasks } from '../describe.ts'
import { viewSnapshotTask } from '../view.ts'

export const describeImportSnapshotTasks = readOperation<
  DescribeImportSnapshotTasksRequest,
  DescribeImportSnapshotTasksResult
>({
  action: 'DescribeImportSnapshotTasks',
  async run(call) {
    const { found, NextToken } = await describeTasks(call, 'import-snapshot-task')
    return {
      ImportSnapshotTasks: found.map(({ task, tags }) => viewSnapshotTask(task, tags)),
      NextToken,
    }
  },
})
