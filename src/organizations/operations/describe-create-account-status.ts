/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeCreateAccountStatus.html */
import type {
  DescribeCreateAccountStatusRequest,
  DescribeCreateAccountStatusResponse,
} from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { readOperation } from '../../wire/operation.ts'
import { findAccountRequest } from '../request-store.ts'
import { requireViewed } from '../standing.ts'
import { viewRequest } from '../view.ts'

export const describeCreateAccountStatus = readOperation<
  DescribeCreateAccountStatusRequest,
  DescribeCreateAccountStatusResponse
>({
  service: 'organizations',
  action: 'DescribeCreateAccountStatus',

  async run({ db, input, caller }) {
    const organization = await requireViewed(db, caller.accountId)
    const id = input.CreateAccountRequestId ?? ''
    const request = await findAccountRequest(db, { organizationId: organization.id, id })
    if (request) return { CreateAccountStatus: viewRequest(request) }
    throw new ApiError(
      'CreateAccountStatusNotFoundException',
      "You specified a create account request that doesn't exist.",
    )
  },
})
