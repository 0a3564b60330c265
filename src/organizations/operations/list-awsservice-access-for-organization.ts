/** https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAWSServiceAccessForOrganization.html */
import type {
  ListAWSServiceAccessForOrganizationRequest,
  ListAWSServiceAccessForOrganizationResponse,
} from '@aws-sdk/client-organizations'
import { page } from '../../lib/pages.ts'
import { readOperation } from '../../wire/operation.ts'
import { pageLimits, readCount } from '../organization.ts'
import { listServices } from '../service-store.ts'
import { requireViewed } from '../standing.ts'

export const listServiceAccess = readOperation<
  ListAWSServiceAccessForOrganizationRequest,
  ListAWSServiceAccessForOrganizationResponse
>({
  service: 'organizations',
  action: 'ListAWSServiceAccessForOrganization',

  async run({ db, input, caller }) {
    const { NextToken } = input
    const MaxResults = readCount(input.MaxResults)
    const organization = await requireViewed(db, caller.accountId)
    const services = await listServices(db, organization.id)
    const { items, ...next } = page(
      services,
      { MaxResults, NextToken },
      ({ principal }) => principal,
      pageLimits,
    )
    const EnabledServicePrincipals = items.map(({ principal, since }) => ({
      ServicePrincipal: principal,
      DateEnabled: since,
    }))
    return { EnabledServicePrincipals, ...next }
  },
})
