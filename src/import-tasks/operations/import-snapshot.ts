/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportSnapshot.html */
import type { ImportSnapshotRequest, ImportSnapshotResult } from '@aws-sdk/client-ec2'
import { ec2Demands } from '../../iam/ec2-touched.ts'
import { tagsOnCreate } from '../../tags/on-create.ts'
import { writeOperation } from '../../wire/operation.ts'
import { beginTask, checkBuckets, toReadObjects } from '../begin.ts'
import { readContainer } from '../read-container.ts'
import { viewSnapshotTask } from '../view.ts'

export const importSnapshot = writeOperation<ImportSnapshotRequest, ImportSnapshotResult>({
  action: 'ImportSnapshot',
  demands: async (input, context) => [
    ...(await ec2Demands('ImportSnapshot', input, context)),
    ...toReadObjects([readContainer(input.DiskContainer)]),
  ],
  // Whatever the bucket lies on, nobody else waits for it.
  prepare: ({ DiskContainer }, context) => checkBuckets([readContainer(DiskContainer)], context),

  async run(call) {
    const { input } = call
    const type = 'import-snapshot-task'
    const tags = tagsOnCreate(input.TagSpecifications, [type]).get(type) ?? []
    const containers = [readContainer(input.DiskContainer)]
    return viewSnapshotTask(await beginTask(call, { containers, image: undefined, tags }), tags)
  },
})
