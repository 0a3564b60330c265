/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListDelegatedAdministrators.html */
import type {
  ListDelegatedAdministratorsRequest,
  ListDelegatedAdministratorsResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { listDelegations } from '../service-store.ts'
import { checkServicePrincipal } from '../services.ts'
import { requireViewed } from '../standing.ts'
import { listMembers } from '../store.ts'
import { viewMember } from '../view.ts'

export const listDelegatedAdministrators = readOperation<
  ListDelegatedAdministratorsRequest,
  ListDelegatedAdministratorsResponse
>({
  service: 'organizations',
  action: 'ListDelegatedAdministrators',

  async run({ db, input, caller }) {
    const { NextToken, ServicePrincipal } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const principal = ServicePrincipal && checkServicePrincipal(ServicePrincipal)
    const all = await listDelegations(db, organization.id)
    const wanted = all.filter((one) => !principal || one.principal === principal)
    // An account is in it once, since the first service that it was made an administrator of.
    const since = new Map(
      wanted
        .toSorted((a, b) => b.since.getTime() - a.since.getTime())
        .map((one) => [one.accountId, one.since]),
    )
    const members = await listMembers(db, { organizationId: organization.id })
    const administrators = members.filter(({ accountId }) => since.has(accountId))
    const { items, ...next } = page(
      administrators,
      { MaxResults, NextToken },
      ({ accountId }) => accountId,
      pageLimits,
    )
    return {
      DelegatedAdministrators: items.map((member) => ({
        ...viewMember(organization, member),
        DelegationEnabledDate: since.get(member.accountId),
      })),
      ...next,
    }
  },
})
