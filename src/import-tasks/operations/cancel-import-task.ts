/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelImportTask.html */
import type { CancelImportTaskRequest, CancelImportTaskResult } from '@aws-sdk/client-ec2'
import { demandsOn } from '../../iam/ec2-touched.ts'
import { idPrefix } from '../../lib/ids.ts'
import { ApiError, missingParameter } from '../../lib/errors.ts'
import { writeOperation } from '../../wire/operation.ts'
import { checkText } from '../read-container.ts'
import { parseTaskId, taskNotFound } from '../import-task.ts'
import { changeTask, findTask } from '../store.ts'
import { taskOverCode } from '../unknowns.ts'
import { statusOf } from '../view.ts'

export const cancelImportTask = writeOperation<CancelImportTaskRequest, CancelImportTaskResult>({
  action: 'CancelImportTask',
  demands({ ImportTaskId: id = '' }, context) {
    const type = id.startsWith(idPrefix('import-image-task'))
      ? 'import-image-task'
      : 'import-snapshot-task'
    return demandsOn('CancelImportTask', type, id ? [id] : [], context)
  },
  async run({ input, tx, caller, region }) {
    if (!input.ImportTaskId) throw missingParameter('ImportTaskId')
    const id = parseTaskId(input.ImportTaskId, ['import-snapshot-task', 'import-image-task'])
    const { CancelReason: reason } = input
    checkText('CancelReason', reason)
    const task = await findTask(tx, id)
    if (task?.accountId !== caller.accountId || task.region !== region) throw taskNotFound(id)
    // Whoever is at it sees this and lets go. Asking again changes nothing.
    const message = reason ? `Cancelled by the user: ${reason}` : 'Cancelled by the user'
    const isGoing =
      task.state === 'deleting' ||
      (await changeTask(tx, id, { from: 'active', to: 'deleting', message }))
    if (isGoing) {
      return { ImportTaskId: id, PreviousState: statusOf(task), State: 'deleting' }
    }
    throw new ApiError(taskOverCode, `The import task ${id} is '${statusOf(task)}'.`)
  },
})
