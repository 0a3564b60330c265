/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DeleteParameter.html */
import type { DeleteParameterRequest, DeleteParameterResult } from '@aws-sdk/client-ssm'
import { writeOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { parameterNotFound } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { deleteParameterRows } from '../store.ts'

export const deleteParameter = writeOperation<DeleteParameterRequest, DeleteParameterResult>({
  service: 'ssm',
  action: 'DeleteParameter',
  demands: ({ Name = '' }, context) => onParameters('DeleteParameter', [Name], context),

  async run(call) {
    const key = ownKey(call, call.input.Name)
    if (!(await deleteParameterRows(call.tx, key))) throw parameterNotFound(key.name)
    return {}
  },
})
