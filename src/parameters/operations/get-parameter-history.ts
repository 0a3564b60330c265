/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameterHistory.html */
import type { GetParameterHistoryRequest, GetParameterHistoryResult } from '@aws-sdk/client-ssm'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { ownKey } from '../own.ts'
import { parameterNotFound, readCount } from '../parameter.ts'
import { onParameters } from '../permissions.ts'
import { revealVersion } from '../secure.ts'
import { listVersions } from '../store.ts'
import { viewHistory } from '../view.ts'

const resultsMax = 50

export const getParameterHistory = readOperation<
  GetParameterHistoryRequest,
  GetParameterHistoryResult
>({
  service: 'ssm',
  action: 'GetParameterHistory',
  demands: ({ Name = '' }, context) => onParameters('GetParameterHistory', [Name], context),

  async run(call) {
    const { input, db } = call
    const MaxResults = readCount(input.MaxResults, resultsMax)
    const key = ownKey(call, input.Name)
    const versions = await listVersions(db, key)
    if (versions.length === 0) throw parameterNotFound(key.name)
    const { items, ...next } = page(
      versions,
      { MaxResults, NextToken: input.NextToken },
      ({ version }) => String(version).padStart(9, '0'),
      { min: 1, max: resultsMax },
    )
    const Parameters = []
    for (const each of items) {
      Parameters.push(viewHistory(await revealVersion(db, call, each, input.WithDecryption)))
    }
    return { Parameters, ...next }
  },
})
