/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html */
import type { DescribeInstanceTypesRequest, DescribeInstanceTypesResult } from '@aws-sdk/client-ec2'
import { ApiError } from '../../lib/errors.ts'
import { checkFilters, matchesFilters } from '../../lib/filters.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { findInstanceType, listInstanceTypes } from '../instance-type.ts'
import { instanceTypeFilters, viewInstanceType } from '../type-view.ts'

export const describeInstanceTypes = readOperation<
  DescribeInstanceTypesRequest,
  DescribeInstanceTypesResult
>({
  action: 'DescribeInstanceTypes',

  async run({ input }) {
    const { InstanceTypes: names = [], Filters } = input
    if (names.length > 0 && input.MaxResults !== undefined) {
      throw new ApiError(
        'InvalidParameterCombination',
        'The parameter instanceTypes cannot be used with the parameter maxResults',
      )
    }
    const unknown = names.filter((name) => !findInstanceType(name))
    if (unknown.length > 0) {
      throw new ApiError(
        'InvalidInstanceType',
        `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
      )
    }
    checkFilters(Filters, instanceTypeFilters, { takesTags: false })
    const found = listInstanceTypes()
      .filter(({ name }) => names.length === 0 || names.some((wanted) => wanted === name))
      .map(viewInstanceType)
      .filter((info) => matchesFilters(info, Filters, instanceTypeFilters))
    const { items, NextToken } = page(found, input, (info) => info.InstanceType ?? '', { max: 100 })
    return { InstanceTypes: [...items], NextToken }
  },
})
