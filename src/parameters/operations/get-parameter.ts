/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html */
import type { GetParameterRequest, GetParameterResult } from '@aws-sdk/client-ssm'
import { readOperation } from '../../wire/operation.ts'
import { requireVersion } from '../find.ts'
import { hereOf } from '../own.ts'
import { onParameters } from '../permissions.ts'
import { parseReference } from '../reference.ts'
import { revealVersion } from '../secure.ts'
import { viewParameter } from '../view.ts'

export const getParameter = readOperation<GetParameterRequest, GetParameterResult>({
  service: 'ssm',
  action: 'GetParameter',
  demands: ({ Name = '' }, context) => onParameters('GetParameter', [Name], context),

  async run(call) {
    const here = hereOf(call)
    const reference = parseReference(call.input.Name ?? '', here)
    const version = await requireVersion(call.db, here, reference)
    const shown = await revealVersion(call.db, call, version, call.input.WithDecryption)
    return { Parameter: viewParameter(shown, reference.selector) }
  },
})
