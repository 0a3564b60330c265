/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListCreateAccountStatus.html */
import type {
  ListCreateAccountStatusRequest,
  ListCreateAccountStatusResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { listAccountRequests } from '../request-store.ts'
import { requireViewed } from '../standing.ts'
import { viewRequest } from '../view.ts'

export const listCreateAccountStatus = readOperation<
  ListCreateAccountStatusRequest,
  ListCreateAccountStatusResponse
>({
  service: 'organizations',
  action: 'ListCreateAccountStatus',

  async run({ db, input, caller }) {
    const { States, NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const all = (await listAccountRequests(db, organization.id)).map(viewRequest)
    const some = all.filter(({ State }) => !States || (State && States.includes(State)))
    const { items, ...next } = page(
      some,
      { MaxResults, NextToken },
      ({ Id = '' }) => Id,
      pageLimits,
    )
    return { CreateAccountStatuses: [...items], ...next }
  },
})
