/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedServicesForAccount.html */
import type {
  ListDelegatedServicesForAccountRequest,
  ListDelegatedServicesForAccountResponse,
} from '@aws-sdk/client-organizations'
import { ApiError } from '../../lib/errors.ts'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { checkAccountId, pageLimits, readCount } from '../organization.ts'
import { listDelegations } from '../service-store.ts'
import { requireViewed, requireMember } from '../standing.ts'

export const listDelegatedServicesForAccount = readOperation<
  ListDelegatedServicesForAccountRequest,
  ListDelegatedServicesForAccountResponse
>({
  service: 'organizations',
  action: 'ListDelegatedServicesForAccount',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const accountId = checkAccountId(input.AccountId ?? '')
    const organization = await requireViewed(db, caller.accountId)
    await requireMember(db, organization, accountId)
    const all = await listDelegations(db, organization.id)
    const own = all.filter((one) => one.accountId === accountId)
    if (own.length === 0) {
      throw new ApiError(
        'AccountNotRegisteredException',
        'The specified account is not a delegated administrator.',
      )
    }
    const { items, ...next } = page(
      own,
      { MaxResults, NextToken },
      ({ principal }) => principal,
      pageLimits,
    )
    const DelegatedServices = items.map(({ principal, since }) => ({
      ServicePrincipal: principal,
      DelegationEnabledDate: since,
    }))
    return { DelegatedServices, ...next }
  },
})
