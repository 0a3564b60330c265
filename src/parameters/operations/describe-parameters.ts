/** https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeParameters.html */
import type {
  DescribeParametersRequest,
  DescribeParametersResult,
  ParameterStringFilter,
} from '@aws-sdk/client-ssm'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { checkFilters, matchesFilters } from '../filters.ts'
import { hereOf } from '../own.ts'
import { readCount, validation } from '../parameter.ts'
import { listPublicParameters } from '../public.ts'
import { listParameters } from '../store.ts'
import { viewMetadata } from '../view.ts'

const resultsMax = 50

export const describeParameters = readOperation<
  DescribeParametersRequest,
  DescribeParametersResult
>({
  service: 'ssm',
  action: 'DescribeParameters',

  async run(call) {
    const { input, db } = call
    const filters = readFilters(input)
    const MaxResults = readCount(input.MaxResults, resultsMax)
    const own = input.Shared ? [] : await listParameters(db, hereOf(call))
    // Public ones are shown to who asks for their path.
    const isPublic = filters?.some(
      ({ Key, Values }) =>
        (Key === 'Path' || Key === 'Name') && Values?.some((value) => /^\/aws\//i.test(value)),
    )
    const listed = isPublic
      ? (await listPublicParameters(db, call.region)).map((latest) => ({ latest, tags: [] }))
      : own
    const found = listed.filter((each) => matchesFilters(each, filters))
    const { items, ...next } = page(
      found,
      { MaxResults, NextToken: input.NextToken },
      ({ latest }) => latest.name,
      { min: 1, max: resultsMax },
    )
    return { Parameters: items.map(({ latest }) => viewMetadata(latest)), ...next }
  },
})

/** The filters of before 2018, where a name is what it begins with, are still taken. */
function readFilters({
  Filters,
  ParameterFilters,
}: DescribeParametersRequest): readonly ParameterStringFilter[] | undefined {
  if (Filters && Filters.length > 0 && ParameterFilters && ParameterFilters.length > 0) {
    throw validation('You can use either Filters or ParameterFilters in a single request.')
  }
  const filters =
    ParameterFilters ??
    Filters?.map(({ Key, Values }) => ({
      Key,
      Values,
      ...(Key === 'Name' && { Option: 'BeginsWith' }),
    }))
  checkFilters(filters, 'describe')
  return filters
}
