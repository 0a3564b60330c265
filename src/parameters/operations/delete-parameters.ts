/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameters.html */
import type { DeleteParametersRequest, DeleteParametersResult } from '@aws-sdk/client-ssm'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { checkCount } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { deleteParameterRows } from '../store.ts'

const namesMax = 10

export const deleteParameters = writeOperation<DeleteParametersRequest, DeleteParametersResult>({
  service: 'ssm',
  action: 'DeleteParameters',
  demands: ({ Names = [] }, context) => onParameters('DeleteParameters', Names, context),

  async run(call) {
    const { Names = [] } = call.input
    checkCount(Names, 'names', namesMax)
    const DeletedParameters: string[] = []
    const InvalidParameters: string[] = []
    for (const name of new Set(Names)) {
      const isDeleted = await deleteParameterRows(call.tx, ownKey(call, name))
      ;(isDeleted ? DeletedParameters : InvalidParameters).push(name)
    }
    return { DeletedParameters, InvalidParameters }
  },
})
