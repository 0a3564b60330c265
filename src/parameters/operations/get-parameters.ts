/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html */
import type {
  GetParametersRequest,
  GetParametersResult,
  Parameter as ParameterOutput,
} from '@aws-sdk/client-ssm'
import { readOperation } from '../../wire/operation.ts'
import { lookUp } from '../find.ts'
import { hereOf } from '../own.ts'
import { checkCount } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { parseReference } from '../reference.ts'
import { revealVersion } from '../secure.ts'
import { viewParameter } from '../view.ts'

const namesMax = 10

export const getParameters = readOperation<GetParametersRequest, GetParametersResult>({
  service: 'ssm',
  action: 'GetParameters',
  demands: ({ Names = [] }, context) => onParameters('GetParameters', Names, context),

  async run(call) {
    const { Names = [] } = call.input
    checkCount(Names, 'names', namesMax)
    const here = hereOf(call)
    const Parameters: ParameterOutput[] = []
    const InvalidParameters: string[] = []
    for (const name of new Set(Names)) {
      const reference = parseReference(name, here)
      const found = await lookUp(call.db, here, reference)
      if (found.kind === 'found') {
        const shown = await revealVersion(call.db, call, found.version, call.input.WithDecryption)
        Parameters.push(viewParameter(shown, reference.selector))
      } else InvalidParameters.push(name)
    }
    return { Parameters, InvalidParameters }
  },
})
