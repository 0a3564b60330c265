/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelBundleTask.html */
import type { CancelBundleTaskRequest, CancelBundleTaskResult } from '@aws-sdk/client-ec2'
import { missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { bundleTaskNotFound } from '../bundle-task.ts'

export const cancelBundleTask = writeOperation<CancelBundleTaskRequest, CancelBundleTaskResult>({
  action: 'CancelBundleTask',
  async run({ input }) {
    throw input.BundleId ? bundleTaskNotFound(input.BundleId) : missingParameter('bundleId')
  },
})
